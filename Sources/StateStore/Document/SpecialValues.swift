import JSONScan

/// An object among property values that stands for something else (`spec/cli-protocol.md` §8.4).
struct SpecialValue: Equatable {
    enum Kind: Equatable {
        case secret, resourceReference
    }

    var kind: Kind
    /// Raw values of the members that the service reads.
    var ciphertext: ArraySlice<UInt8>?
    var plaintext: ArraySlice<UInt8>?
    var urn: ArraySlice<UInt8>?
}

/// Finds secrets and resource references at any depth of a value, in one pass.
enum SpecialValues {
    private static let signatureKey = Array("4dabf18193072939515e22adb298388d".utf8)
    private static let secret = Array("1b47061264138c4ac30d75fd1eb44270".utf8)
    private static let resourceReference = Array("5cf8f73096256a8f31e491e813e4eb8e".utf8)

    /// Whether a secret with a ciphertext is among `values`.
    static func holdCiphertext(_ value: ArraySlice<UInt8>) -> Bool {
        var isFound = false
        forEach(in: value) { special in
            guard special.kind == .secret, let text = special.ciphertext.flatMap({ JSONScalar.string($0) }) else {
                return
            }
            if !text.isEmpty { isFound = true }
        }
        return isFound
    }

    /// Calls `body` for each special value, inner ones first.
    static func forEach(in value: ArraySlice<UInt8>, _ body: (SpecialValue) -> Void) {
        var frames: [Frame] = []
        for token in JSONTokens(of: value) {
            switch token {
            case .objectBegan:
                frames.append(Frame())
            case .arrayBegan:
                frames.append(Frame(isArray: true))
            case .key(let range):
                guard !frames.isEmpty else { return }
                frames[frames.count - 1].key = JSONScalar.string(value[range]) ?? []
            case .string(let range):
                guard !frames.isEmpty else { return }
                frames[frames.count - 1].note(value[range])
            case .scalar:
                break
            case .objectEnded, .arrayEnded:
                guard let frame = frames.popLast() else { return }
                if let special = frame.special { body(special) }
            }
        }
    }

    private struct Frame {
        var isArray = false
        var key: ArraySlice<UInt8> = []
        var signature: ArraySlice<UInt8>?
        var found = SpecialValue(kind: .secret)

        mutating func note(_ value: ArraySlice<UInt8>) {
            guard !isArray else { return }
            if key.elementsEqual(SpecialValues.signatureKey) {
                signature = JSONScalar.string(value)
            } else if key.elementsEqual("ciphertext".utf8) {
                found.ciphertext = value
            } else if key.elementsEqual("plaintext".utf8) {
                found.plaintext = value
            } else if key.elementsEqual("urn".utf8) {
                found.urn = value
            }
        }

        var special: SpecialValue? {
            guard let signature else { return nil }
            var result = found
            if signature.elementsEqual(SpecialValues.secret) {
                result.kind = .secret
            } else if signature.elementsEqual(SpecialValues.resourceReference) {
                result.kind = .resourceReference
            } else {
                return nil
            }
            return result
        }
    }
}
