import Contract
import JSONScan
import StateStore

extension Resource {
    /// A resource of a state in the contract's form.
    ///
    /// Of the properties each value stays as it is in the state: secrets are ciphertexts, long numbers keep their digits.
    init(_ state: StateResource) {
        let text = state.bytes
        var members: [String: ArraySlice<UInt8>] = [:]
        for member in JSONMembers(of: text) where !JSONScalar.isNull(text[member.value]) {
            members[String(decoding: text[member.key], as: UTF8.self)] = text[member.value]
        }
        self.init(
            id: members["id"].flatMap(Self.text),
            type: state.type ?? "",
            urn: state.urn ?? "",
            custom: members["custom"].flatMap(JSONScalar.boolean) ?? false,
            delete: members["delete"].flatMap(JSONScalar.boolean) ?? false,
            dependencies: members["dependencies"].map(Self.texts) ?? [],
            parent: members["parent"].flatMap(Self.text),
            protect: members["protect"].flatMap(JSONScalar.boolean),
            external: members["external"].flatMap(JSONScalar.boolean),
            retainOnDelete: members["retainOnDelete"].flatMap(JSONScalar.boolean),
            additionalSecretOutputs: members["additionalSecretOutputs"].map(Self.texts),
            aliases: members["aliases"].map(Self.texts),
            deletedWith: members["deletedWith"].flatMap(Self.text),
            initErrors: members["initErrors"].map(Self.texts),
            inputs: members["inputs"].map(Self.values),
            outputs: members["outputs"].map(Self.values)
        )
    }

    private static func text(_ value: ArraySlice<UInt8>) -> String? {
        JSONScalar.string(value).map { String(decoding: $0, as: UTF8.self) }
    }

    private static func texts(_ list: ArraySlice<UInt8>) -> [String] {
        JSONElements(of: list).compactMap { text(list[$0]) }
    }

    private static func values(_ object: ArraySlice<UInt8>) -> [String: RawJSON] {
        var values: [String: RawJSON] = [:]
        for member in JSONMembers(of: object) {
            let name = String(decoding: JSONText.decode(object[member.key]), as: UTF8.self)
            values[name] = RawJSON(unchecked: Array(object[member.value]))
        }
        return values
    }
}
