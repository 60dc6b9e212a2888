import Contract
import JSONScan
import StateStore

extension Resource {
    /// A resource of a state in the contract's form.
    ///
    /// Of the properties each value stays as it is in the state: secrets are ciphertexts, long numbers keep their digits.
    init(_ state: StateResource) {
        let text = state.bytes
        self.init(type: state.type ?? "", urn: state.urn ?? "", custom: false, delete: false, dependencies: [])
        for member in JSONMembers(of: text) where !JSONScalar.isNull(text[member.value]) {
            let value = text[member.value]
            switch String(decoding: text[member.key], as: UTF8.self) {
            case "id": id = Self.text(value)
            case "custom": custom = JSONScalar.boolean(value) ?? false
            case "delete": delete = JSONScalar.boolean(value) ?? false
            case "dependencies": dependencies = Self.texts(value)
            case "parent": parent = Self.text(value)
            case "protect": protect = JSONScalar.boolean(value)
            case "external": external = JSONScalar.boolean(value)
            case "retainOnDelete": retainOnDelete = JSONScalar.boolean(value)
            case "additionalSecretOutputs": additionalSecretOutputs = Self.texts(value)
            case "aliases": aliases = Self.texts(value)
            case "deletedWith": deletedWith = Self.text(value)
            case "initErrors": initErrors = Self.texts(value)
            case "inputs": inputs = Self.values(value)
            case "outputs": outputs = Self.values(value)
            default: break
            }
        }
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
