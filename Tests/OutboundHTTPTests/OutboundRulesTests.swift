import Kernel
import OutboundHTTP
import Testing

@Suite("Which addresses are connected to")
struct OutboundRulesTests {
    @Test(
        "Public ones are",
        arguments: [
            "1.1.1.1", "8.8.8.8", "140.82.112.3", "172.15.255.255", "172.32.0.1", "2606:4700::1111", "::ffff:8.8.8.8",
        ]
    )
    func permitsPublic(address: String) throws {
        #expect(OutboundRules().permits(try #require(IPAddress(address))))
    }

    @Test(
        "All others are not, in whatever form they are written",
        arguments: [
            "127.0.0.1", "127.9.9.9", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "100.64.0.1",
            "169.254.169.254", "0.0.0.0", "0.1.2.3", "224.0.0.1", "255.255.255.255", "192.0.2.1", "198.18.0.1", "::1",
            "::", "fe80::1", "fc00::1", "fd00:ec2::254", "ff02::1", "::ffff:127.0.0.1", "::ffff:169.254.169.254",
            "64:ff9b::a9fe:a9fe", "64:ff9b::7f00:1", "64:ff9b:1::1", "2002:7f00:1::", "2002:a9fe:a9fe::1", "::7f00:1",
            "2001:db8::1", "2001::1", "4000::1", "9000::1", "100.100.100.200", "168.63.129.16",
        ]
    )
    func refusesOthers(address: String) throws {
        #expect(!OutboundRules().permits(try #require(IPAddress(address))))
    }

    @Test(
        "The operator can name others, but no link of the local net",
        arguments: [
            ("10.1.0.0/16", "10.1.2.3", true), ("10.1.0.0/16", "10.2.0.1", false), ("127.0.0.1", "127.0.0.1", true),
            ("127.0.0.1", "127.0.0.2", false), ("127.0.0.1", "::ffff:127.0.0.1", true), ("::1", "::1", true),
            ("0.0.0.0/0", "192.168.0.1", true), ("0.0.0.0/0", "169.254.169.254", false),
            ("169.254.169.254", "169.254.169.254", false), ("::/0", "fe80::1", false), ("::/0", "fc00::1", true),
            ("::/0", "fd00:ec2::254", false), ("0.0.0.0/0", "::1", false), ("10.0.0.0/7", "11.0.0.1", true),
        ]
    )
    func obeysOperator(range: String, address: String, isPermitted: Bool) throws {
        let rules = OutboundRules(allowing: [try #require(AddressRange(range))])

        #expect(rules.permits(try #require(IPAddress(address))) == isPermitted)
    }

    @Test("Without TLS only this machine is, and only when it is named")
    func refusesPlain() throws {
        let rules = OutboundRules(allowing: [try #require(AddressRange("127.0.0.0/8"))])

        #expect(rules.permits(try #require(IPAddress("127.0.0.1")), isPlain: true))
        #expect(!rules.permits(try #require(IPAddress("8.8.8.8")), isPlain: true))
        #expect(!OutboundRules().permits(try #require(IPAddress("127.0.0.1")), isPlain: true))
    }

    @Test(
        "A range is an address with as many bits as count, and none behind them",
        arguments: [
            ("10.0.0.0/8", true), ("10.0.0.1", true), ("::/0", true), ("2001:db8::/32", true), ("10.0.0.1/8", false),
            ("10.0.0.0/33", false), ("10.0.0.0/-1", false), ("10.0.0.0/", false), ("10.0.0.0/8/8", false),
            ("10", false), ("0x7f.1", false), ("", false), ("localhost", false), ("fe80::1%eth0", false),
        ]
    )
    func readsRanges(text: String, isRange: Bool) {
        #expect((AddressRange(text) != nil) == isRange)
    }

    @Test("The setting takes a list and names what is wrong in it")
    func readsSetting() throws {
        let good = try OutboundConfiguration(settings: Settings(["CAIRN_OUTBOUND_ALLOW": "10.0.0.0/8, 127.0.0.1,"]))

        #expect(good.rules.permits(try #require(IPAddress("10.9.9.9"))))
        let error = #expect(throws: ConfigurationError.self) {
            _ = try OutboundConfiguration(settings: Settings(["CAIRN_OUTBOUND_ALLOW": "10.0.0.0/8,inside"]))
        }
        #expect(error?.problems.first?.text.contains("'inside'") == true)
    }
}
