import COpenSSL

/// Random bytes from OpenSSL's generator, which the system seeds.
package enum SecureRandom {
    /// Traps when the generator fails: nothing may go on with guessable bytes.
    package static func bytes(_ count: Int) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            precondition(RAND_bytes(buffer.baseAddress, Int32(count)) == 1, "OpenSSL's random generator failed")
            initialized = count
        }
    }
}

/// Comparing without telling by its time where the difference is.
package enum ConstantTime {
    package static func equal(_ left: [UInt8], _ right: [UInt8]) -> Bool {
        left.count == right.count && CRYPTO_memcmp(left, right, left.count) == 0
    }
}
