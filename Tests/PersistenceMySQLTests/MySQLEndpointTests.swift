import PersistenceMySQL
import Testing

@Suite("The endpoint of a MySQL server")
struct MySQLEndpointTests {
    @Test(
        "is read in every form that operators use",
        arguments: [
            ("pulumi-db:3306", "pulumi-db", 3306),
            ("db.example.com:13306", "db.example.com", 13306),
            ("db.example.com", "db.example.com", 3306),
            ("db.example.com.", "db.example.com.", 3306),
            ("my_container", "my_container", 3306),
            ("127.0.0.1", "127.0.0.1", 3306),
            ("127.0.0.1:1", "127.0.0.1", 1),
            ("localhost:65535", "localhost", 65535),
            ("[::1]:3307", "::1", 3307),
            ("[::1]", "::1", 3306),
            ("[2001:db8::7]:03306", "2001:db8::7", 3306),
            ("[fe80::1%eth0]:3306", "fe80::1%eth0", 3306),
            ("[::ffff:10.0.0.1]", "::ffff:10.0.0.1", 3306),
            ("  db:3306 \n", "db", 3306),
        ]
    )
    func reads(text: String, host: String, port: Int) throws {
        let endpoint = try MySQLEndpoint(text)

        #expect(endpoint == MySQLEndpoint(host: host, port: port))
    }

    @Test(
        "is refused with a hint when it is something else",
        arguments: [
            ("", .empty),
            (" \t ", .empty),
            (":3306", .empty),
            ("db:", .notAPort("")),
            ("db:0", .notAPort("0")),
            ("db:65536", .notAPort("65536")),
            ("db:99999999999999999999", .notAPort("99999999999999999999")),
            ("db:+80", .notAPort("+80")),
            ("db:-1", .notAPort("-1")),
            ("db:33 06", .notAPort("33 06")),
            ("db:٣٣", .notAPort("٣٣")),
            ("db:3306:1", .addressWithoutBrackets("db:3306:1")),
            ("::1", .addressWithoutBrackets("::1")),
            ("[::1", .unclosedBracket),
            ("[]:3306", .notAnAddress("")),
            ("[db]:3306", .notAnAddress("db")),
            ("[10.0.0.1]", .notAnAddress("10.0.0.1")),
            ("[fe80::1%]", .notAnAddress("fe80::1%")),
            ("[::1]3306", .notAPort("3306")),
            ("[::1]:", .notAPort("")),
            ("mysql://db:3306", .hasScheme),
            ("tcp(db:3306)", .hasScheme),
            ("user:secret@db:3306", .hasCredentials),
            ("user:secret@tcp(db:3306)/pulumi", .hasCredentials),
            ("db:3306/pulumi", .hasPath),
            ("/var/run/mysqld/mysqld.sock", .hasPath),
            ("a,b", .notAName("a,b")),
            ("dé", .notAName("dé")),
            ("a b", .notAName("a b")),
            (String(repeating: "a", count: 254), .notAName(String(repeating: "a", count: 254))),
        ] as [(String, MySQLEndpointError)]
    )
    func refuses(text: String, expected: MySQLEndpointError) {
        #expect(throws: expected) { try MySQLEndpoint(text) }
    }

    @Test("is written as it is read", arguments: ["db:3306", "[::1]:3307", "10.0.0.1:1"])
    func describes(text: String) throws {
        #expect(try MySQLEndpoint(text).description == text)
    }

    @Test("never repeats a text that holds a password")
    func hidesCredentials() throws {
        let error = #expect(throws: MySQLEndpointError.self) { try MySQLEndpoint("root:secret@db") }

        #expect(try #require(error).description.contains("secret") == false)
    }
}
