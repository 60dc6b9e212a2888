import Crypto
package import Kernel

/// Encrypts and decrypts the values of one owner under one of its data keys.
///
/// The work takes about a microsecond for a small value and does not suspend: many values, or large ones, belong on the
/// `compute` pool.
package struct ValueCipher: Sendable {
    package let id: DataKeyID
    private let key: SecretBytes
    private let header: [UInt8]
    private let associated: [UInt8]
    private let randomBytes: @Sendable (Int) -> [UInt8]

    /// - Parameter randomBytes: a cryptographic source.
    package init(id: DataKeyID, key: SecretBytes, owner: KeyOwner, randomBytes: @escaping @Sendable (Int) -> [UInt8]) {
        self.id = id
        self.key = key
        self.randomBytes = randomBytes
        header = Envelope.header(id)
        associated = header + owner.bytes
    }

    package func encrypt(_ plaintext: [UInt8]) -> [UInt8] {
        var keys = DerivedKeys()
        return encrypt(plaintext, random: randomBytes(Self.randomCount)[...], &keys)
    }

    /// Encrypts each value, in order.
    package func encrypt(_ plaintexts: [[UInt8]]) -> [[UInt8]] {
        var keys = DerivedKeys()
        let random = randomBytes(plaintexts.count * Self.randomCount)
        return plaintexts.enumerated().map { index, plaintext in
            encrypt(plaintext, random: random[(index * Self.randomCount)...], &keys)
        }
    }

    /// - Throws: `.messageAuthenticationFailed`.
    package func decrypt(_ value: [UInt8]) throws -> [UInt8] {
        var keys = DerivedKeys()
        return try decrypt(value, &keys)
    }

    /// Decrypts each value, in order, or none of them.
    ///
    /// - Parameter ciphers: one for each data key of `Envelope.dataKeys(of:)`.
    /// - Throws: `.messageAuthenticationFailed`.
    package static func decrypt(_ values: [[UInt8]], with ciphers: [ValueCipher]) throws -> [[UInt8]] {
        var keys = DerivedKeys()
        var plaintexts: [[UInt8]] = []
        plaintexts.reserveCapacity(values.count)
        do {
            for value in values {
                guard let cipher = ciphers.first(where: { value.starts(with: $0.header) }) else {
                    throw ServiceError.messageAuthenticationFailed
                }
                plaintexts.append(try cipher.decrypt(value, &keys))
            }
        } catch {
            for index in plaintexts.indices { plaintexts[index].withUnsafeMutableBytes { SecretBytes.wipe($0) } }
            throw error
        }
        return plaintexts
    }

    // MARK: - One value

    /// Salt and nonce.
    private static let randomCount = Envelope.salt.count + Envelope.nonce.count

    private func encrypt(_ plaintext: [UInt8], random: ArraySlice<UInt8>, _ keys: inout DerivedKeys) -> [UInt8] {
        let count = plaintext.count + Envelope.overhead
        return [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            let output = UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(buffer)[..<count])
            output.copyBytes(from: header)
            part(output, Envelope.salt.lowerBound..<Envelope.nonce.upperBound)
                .copyBytes(from: random.prefix(Self.randomCount))
            keys.derive(from: key, salt: UnsafeRawBufferPointer(part(output, Envelope.salt)))
            part(output, Envelope.commitment).copyMemory(from: keys.commitment)
            plaintext.withUnsafeBytes { plaintext in
                associated.withUnsafeBytes { associated in
                    keys.cipher.seal(
                        plaintext,
                        key: keys.key,
                        nonce: UnsafeRawBufferPointer(part(output, Envelope.nonce)),
                        context: associated,
                        into: part(output, Envelope.ciphertext..<count)
                    )
                }
            }
            filled = count
        }
    }

    private func decrypt(_ value: [UInt8], _ keys: inout DerivedKeys) throws -> [UInt8] {
        guard value.count >= Envelope.overhead, value.starts(with: header) else {
            throw ServiceError.messageAuthenticationFailed
        }
        var isGenuine = false
        let count = value.count - Envelope.overhead
        let plaintext = value.withUnsafeBytes { value in
            keys.derive(from: key, salt: part(value, Envelope.salt))
            return [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
                guard ConstantTime.equal(part(value, Envelope.commitment), keys.commitment) else { return }
                isGenuine = associated.withUnsafeBytes { associated in
                    keys.cipher.open(
                        part(value, Envelope.ciphertext..<value.count),
                        key: keys.key,
                        nonce: part(value, Envelope.nonce),
                        context: associated,
                        into: UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(buffer)[..<count])
                    )
                }
                filled = isGenuine ? count : 0
            }
        }
        guard isGenuine else { throw ServiceError.messageAuthenticationFailed }
        return plaintext
    }
}

/// The key and the commitment of one value after the other, in one place that is wiped.
private struct DerivedKeys: ~Copyable {
    var cipher = AES256GCM()
    private var derivation = HKDF()
    private let storage = UnsafeMutableRawBufferPointer.allocate(byteCount: 64, alignment: 16)

    var key: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: storage[..<32]) }
    var commitment: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: storage[32...]) }

    mutating func derive(from key: SecretBytes, salt: UnsafeRawBufferPointer) {
        key.withUnsafeBytes { key in
            Envelope.info.withUnsafeBytes { info in
                derivation.derive(secret: key, salt: salt, info: info, into: storage)
            }
        }
    }

    deinit {
        SecretBytes.wipe(storage)
        storage.deallocate()
    }
}

private func part(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(rebasing: bytes[range])
}

private func part(_ bytes: UnsafeMutableRawBufferPointer, _ range: Range<Int>) -> UnsafeMutableRawBufferPointer {
    UnsafeMutableRawBufferPointer(rebasing: bytes[range])
}
