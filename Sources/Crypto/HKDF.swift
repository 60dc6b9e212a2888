package import Kernel

/// HKDF-SHA-256 (RFC 5869): keys out of a secret, a salt and a purpose.
///
/// Holds a context of the library, so that deriving many keys costs little more than their hashes.
package struct HKDF: ~Copyable {
    /// The most bytes that one derivation gives.
    package static let longestOutput = 255 * Digest.count

    private var code: HMAC

    package init() {
        code = HMAC()
    }

    /// Fills `output` with what the three inputs determine.
    ///
    /// - Parameter output: at most `longestOutput` bytes.
    package mutating func derive(
        secret: UnsafeRawBufferPointer,
        salt: UnsafeRawBufferPointer,
        info: UnsafeRawBufferPointer,
        into output: UnsafeMutableRawBufferPointer
    ) {
        precondition(output.count <= Self.longestOutput, "HKDF gives at most \(Self.longestOutput) bytes")
        withUnsafeTemporaryAllocation(byteCount: 2 * Digest.count, alignment: 8) { scratch in
            let bytes = scratch.assumingMemoryBound(to: UInt8.self)
            guard let extracted = bytes.baseAddress else { return }
            let block = extracted + Digest.count
            code.restart(key: salt)
            code.update(secret)
            code.finish(into: extracted)
            code.restart(key: UnsafeRawBufferPointer(start: extracted, count: Digest.count))
            var done = 0
            var counter: UInt8 = 1
            while done < output.count {
                if counter > 1 {
                    code.restart()
                    code.update(UnsafeRawBufferPointer(start: block, count: Digest.count))
                }
                code.update(info)
                withUnsafeBytes(of: counter) { code.update($0) }
                code.finish(into: block)
                let count = min(Digest.count, output.count - done)
                UnsafeMutableRawBufferPointer(rebasing: output[done..<done + count])
                    .copyMemory(from: UnsafeRawBufferPointer(start: block, count: count))
                done += count
                counter &+= 1
            }
            SecretBytes.wipe(scratch)
        }
    }

    /// A key in one call.
    package static func key(from secret: SecretBytes, salt: [UInt8], info: String, count: Int = 32) -> SecretBytes {
        var derivation = HKDF()
        return SecretBytes(count: count) { output in
            secret.withUnsafeBytes { secret in
                salt.withUnsafeBytes { salt in
                    Array(info.utf8).withUnsafeBytes { info in
                        derivation.derive(secret: secret, salt: salt, info: info, into: output)
                    }
                }
            }
        }
    }
}
