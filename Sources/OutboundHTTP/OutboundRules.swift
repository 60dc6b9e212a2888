/// Which addresses the server connects to for URLs that users have chosen (`design/reliability-security.md` S-52).
///
/// Public ones, and those that the operator named. Links of the local net, where clouds keep the credentials of machines,
/// are never among them.
package struct OutboundRules: Sendable {
    private let allowed: [AddressRange]

    /// - Parameter allowed: ranges that are not public and connected to all the same.
    package init(allowing allowed: [AddressRange] = []) {
        self.allowed = allowed
    }

    /// Whether the server may connect to an address.
    ///
    /// - Parameter isPlain: whether the connection has no TLS, which is possible on this machine only.
    package func permits(_ address: IPAddress, isPlain: Bool = false) -> Bool {
        let target = address.unwrapped
        guard !Self.contains(target, Self.forbidden) else { return false }
        if isPlain, !Self.contains(target, Self.loopback) { return false }
        return !Self.contains(target, Self.notPublic) || Self.contains(target, allowed)
    }

    private static func contains(_ address: IPAddress, _ ranges: [AddressRange]) -> Bool {
        ranges.contains { $0.contains(address) }
    }

    private static func ranges(_ texts: String...) -> [AddressRange] {
        texts.compactMap(AddressRange.init)
    }

    private static let loopback = ranges("127.0.0.0/8", "::1")

    /// Not even when they are named: link-local, unspecified, multicast and broadcast, and where a cloud answers with
    /// credentials outside of those.
    private static let forbidden = ranges(
        "169.254.0.0/16",
        "0.0.0.0/8",
        "224.0.0.0/4",
        "240.0.0.0/4",
        "100.100.100.200",
        "168.63.129.16",
        "192.0.0.192",
        "::",
        "fe80::/10",
        "ff00::/8",
        "fd00:ec2::/32"
    )

    /// Reserved in the registries of IANA; of IPv6 only what is given out is public.
    private static let notPublic =
        loopback
        + ranges(
            "10.0.0.0/8",
            "100.64.0.0/10",
            "172.16.0.0/12",
            "192.0.0.0/24",
            "192.0.2.0/24",
            "192.88.99.0/24",
            "192.168.0.0/16",
            "198.18.0.0/15",
            "198.51.100.0/24",
            "203.0.113.0/24",
            "::/3",
            "4000::/2",
            "8000::/1",
            "2001::/23",
            "2001:db8::/32"
        )
}
