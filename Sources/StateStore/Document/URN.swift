/// The parts of `urn:pulumi:{stack}::{project}::{qualified type}::{name}`.
///
/// Only the name may contain `::`.
struct URN: Equatable {
    static let prefix = Array("urn:pulumi:".utf8)
    static let rootType = Array("pulumi:pulumi:Stack".utf8)
    /// What the type of every provider begins with.
    static let providerType = Array("pulumi:providers:".utf8)

    var stack: ArraySlice<UInt8>
    var project: ArraySlice<UInt8>
    /// Types of the parents, outermost first, and the resource's own, joined by `$`.
    var qualifiedType: ArraySlice<UInt8>
    var name: ArraySlice<UInt8>

    init?(_ text: ArraySlice<UInt8>) {
        guard text.starts(with: Self.prefix) else { return nil }
        var rest = text.dropFirst(Self.prefix.count)
        var parts: [ArraySlice<UInt8>] = []
        while parts.count < 3 {
            guard let border = Self.border(in: rest) else { return nil }
            parts.append(rest[..<border])
            rest = rest[(border + 2)...]
        }
        (stack, project, qualifiedType, name) = (parts[0], parts[1], parts[2], rest)
    }

    /// The resource's own type, without those of its parents.
    var type: ArraySlice<UInt8> {
        guard let dollar = qualifiedType.lastIndex(of: UInt8(ascii: "$")) else { return qualifiedType }
        return qualifiedType[(dollar + 1)...]
    }

    var text: ArraySlice<UInt8> {
        let separator = Array("::".utf8)
        return ArraySlice(Self.prefix + stack + separator + project + separator + qualifiedType + separator + name)
    }

    /// Index of the first `::`.
    private static func border(in text: ArraySlice<UInt8>) -> Int? {
        var index = text.startIndex
        while index + 1 < text.endIndex {
            if text[index] == UInt8(ascii: ":"), text[index + 1] == UInt8(ascii: ":") { return index }
            index += 1
        }
        return nil
    }
}

/// A resource's `provider`: the URN of the provider resource, `::`, and its id.
struct ProviderReference {
    /// Stands for the id of a provider that has none yet.
    static let unknownID = Array("04da6b54-80e4-46f7-96ec-b56ff0331ba9".utf8)

    var urn: ArraySlice<UInt8>
    var id: ArraySlice<UInt8>

    init?(_ text: ArraySlice<UInt8>) {
        var index = text.endIndex - 2
        while index >= text.startIndex, text[index] != UInt8(ascii: ":") || text[index + 1] != UInt8(ascii: ":") {
            index -= 1
        }
        guard index >= text.startIndex else { return nil }
        urn = text[..<index]
        id = text[(index + 2)...]
    }
}
