#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// An address of IPv4 or IPv6 by its bytes.
package struct IPAddress: Sendable, Hashable {
    /// 4 or 16 bytes, in network order.
    package let bytes: [UInt8]

    /// Nil unless there are 4 or 16.
    package init?(_ bytes: [UInt8]) {
        guard bytes.count == 4 || bytes.count == 16 else { return nil }
        self.bytes = bytes
    }

    /// Reads the usual text, `192.0.2.1` or `2001:db8::1`; nil for anything else, other spellings of IPv4 too.
    package init?(_ text: String) {
        var four = in_addr()
        var six = in6_addr()
        if inet_pton(AF_INET, text, &four) == 1 {
            bytes = withUnsafeBytes(of: &four) { Array($0) }
        } else if inet_pton(AF_INET6, text, &six) == 1 {
            bytes = withUnsafeBytes(of: &six) { Array($0) }
        } else {
            return nil
        }
    }

    /// The address that is reached in the end: IPv6 has several ways to write one of IPv4.
    var unwrapped: IPAddress {
        for (prefix, offset) in Self.wrappers where prefix.contains(self) {
            return IPAddress(Array(bytes[offset..<offset + 4])) ?? self
        }
        return self
    }

    /// IPv4-mapped, IPv4-compatible, NAT64 and 6to4.
    private static let wrappers: [(AddressRange, Int)] = [
        ("::ffff:0:0/96", 12), ("64:ff9b::/96", 12), ("2002::/16", 2),
    ].compactMap { text, offset in AddressRange(text).map { ($0, offset) } }
}

/// Addresses that begin with the same bits, as `10.0.0.0/8`.
package struct AddressRange: Sendable, Hashable {
    package let base: IPAddress
    package let length: Int

    /// Reads an address with the number of its leading bits; without one it is that address alone.
    ///
    /// Nil as well when bits behind the prefix are set: whoever wrote that meant something else.
    package init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count <= 2, let base = IPAddress(String(parts[0])) else { return nil }
        let bits = base.bytes.count * 8
        guard let length = parts.count == 2 ? Int(parts[1]) : bits, (0...bits).contains(length) else { return nil }
        self.base = base
        self.length = length
        guard Self.isClear(base.bytes, behind: length) else { return nil }
    }

    package func contains(_ address: IPAddress) -> Bool {
        guard address.bytes.count == base.bytes.count else { return false }
        let whole = length / 8
        guard address.bytes[..<whole] == base.bytes[..<whole] else { return false }
        guard length % 8 > 0 else { return true }
        return (address.bytes[whole] ^ base.bytes[whole]) >> UInt8(8 - length % 8) == 0
    }

    private static func isClear(_ bytes: [UInt8], behind length: Int) -> Bool {
        bytes.enumerated().allSatisfy { index, byte in
            let kept = min(8, max(0, length - index * 8))
            return kept == 8 || byte << UInt8(kept) == 0
        }
    }
}
