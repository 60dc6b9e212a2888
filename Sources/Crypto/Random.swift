import COpenSSL
package import Kernel

/// Bytes from the system's cryptographic generator.
package enum Random {
    package static func bytes(_ count: Int) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            fill(UnsafeMutableRawBufferPointer(buffer))
            filled = count
        }
    }

    /// A new key, from the library's generator for values that stay secret.
    package static func key(_ count: Int = 32) -> SecretBytes {
        SecretBytes(count: count) { output in
            check(
                RAND_priv_bytes(output.assumingMemoryBound(to: UInt8.self).baseAddress, Int32(count)),
                "random source"
            )
        }
    }

    /// Fills a buffer of any size.
    package static func fill(_ buffer: UnsafeMutableRawBufferPointer) {
        guard let start = buffer.assumingMemoryBound(to: UInt8.self).baseAddress else { return }
        var done = 0
        while done < buffer.count {
            let size = min(1 << 20, buffer.count - done)
            check(RAND_bytes(start + done, Int32(size)), "random source")
            done += size
        }
    }

    /// Whether a source gives different bytes at each call, which a stuck one does not; asked once, at the start.
    package static func isAlive(_ source: (Int) -> [UInt8]) -> Bool {
        let draws = (0..<4).map { _ in source(32) }
        return draws.allSatisfy { $0.count == 32 && Set($0).count > 8 } && Set(draws).count == draws.count
    }
}
