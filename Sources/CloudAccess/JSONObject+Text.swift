package import Contract

extension JSONObject {
    /// A member that is a text with at least one letter; nil for any other and for none.
    package subscript(text name: String) -> String? {
        guard case .string(let text)? = self[name], !text.isEmpty else { return nil }
        return text
    }
}
