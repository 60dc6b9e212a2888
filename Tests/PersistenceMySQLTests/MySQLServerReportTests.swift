import PersistenceMySQL
import Testing

@Suite("The report about a MySQL server")
struct MySQLServerReportTests {
    private static let good = [
        "version": "9.7.4", "innodb_flush_log_at_trx_commit": "1", "log_bin": "ON", "sync_binlog": "1",
        "innodb_doublewrite": "ON", "binlog_format": "ROW", "read_only": "OFF", "super_read_only": "OFF",
        "wsrep_on": "OFF", "max_allowed_packet": "16777216", "max_connections": "151",
    ]

    @Test("has no warnings for a server that is set up well")
    func good() {
        let report = report(Self.good)

        #expect(report.warnings.isEmpty)
        #expect(report.version == "9.7.4")
        #expect(report.maximumPacket == 16_777_216)
    }

    @Test(
        "warns of what endangers data or work",
        arguments: [
            (["innodb_flush_log_at_trx_commit": "2"], [.commitsAreNotFlushed(value: "2")]),
            (["innodb_flush_log_at_trx_commit": "0"], [.commitsAreNotFlushed(value: "0")]),
            (["sync_binlog": "0"], [.binaryLogIsNotFlushed(value: "0")]),
            (["sync_binlog": "0", "log_bin": "OFF"], []),
            (["innodb_doublewrite": "OFF"], [.doubleWriteIsOff]),
            (["innodb_doublewrite": "DETECT_ONLY"], [.doubleWriteIsOff]),
            (["binlog_format": "STATEMENT"], [.binaryLogIsStatementBased]),
            (["binlog_format": "MIXED"], []),
            (["read_only": "ON"], [.isReadOnly]),
            (["innodb_read_only": "ON"], [.isReadOnly]),
            (["wsrep_on": "ON"], [.isGalera]),
            (["max_allowed_packet": "4194304"], [.packetIsSmall(bytes: 4_194_304)]),
            (["max_connections": "10"], [.connectionsAreFew(allowed: 10, wanted: 17)]),
        ] as [([String: String], [MySQLServerReport.Warning])]
    )
    func warnings(changes: [String: String], expected: [MySQLServerReport.Warning]) {
        let report = report(Self.good.merging(changes) { $1 })

        #expect(report.warnings == expected)
        #expect(report.warnings.allSatisfy { !$0.description.isEmpty })
    }

    @Test(
        "tells an administrator's account from a service's",
        arguments: [
            ("GRANT USAGE ON *.* TO `cairn`@`%`", false),
            ("GRANT ALL PRIVILEGES ON `cairn`.* TO `cairn`@`%`", false),
            ("GRANT SELECT, INSERT ON *.* TO `cairn`@`%`", false),
            ("GRANT ALL PRIVILEGES ON *.* TO `root`@`%` WITH GRANT OPTION", true),
            ("GRANT SELECT, SUPER ON *.* TO `x`@`%`", true),
            ("GRANT CONNECTION_ADMIN,READ_ONLY ADMIN ON *.* TO `x`@`%`", true),
        ]
    )
    func administrators(grant: String, isAdministrator: Bool) {
        let report = MySQLServerReport(
            isMariaDB: false,
            variables: Self.good,
            tls: nil,
            grants: ["GRANT USAGE ON *.* TO `a`@`%`", grant],
            wantedConnections: 16
        )

        #expect(report.warnings.contains(.accountIsAdministrator) == isAdministrator)
    }

    @Test("comes from the server itself", arguments: TestServer.allCases)
    func real(server: TestServer) async throws {
        let service = try MySQLDriver(server.configuration())
        let administrator = try MySQLDriver(server.configuration(.administrator))

        let report = try await service.inspect()
        let warnings = try await administrator.inspect().warnings
        await service.close()
        await administrator.close()

        #expect(report.isMariaDB == (server == .mariadb))
        #expect(report.warnings.isEmpty)
        #expect(report.tls != nil)
        #expect(warnings == [.accountIsAdministrator])
    }

    @Test("finds settings that lose commits", arguments: TestServer.allCases)
    func weakDurability(kind: TestServer) async throws {
        let options = ["--innodb-flush-log-at-trx-commit=2", "--log-bin=log", "--server-id=1", "--sync-binlog=0"]
        try await PrivateServer.with(kind, options: options) { server in
            let driver = try MySQLDriver(server.configuration())

            let warnings = try await driver.inspect().warnings
            await driver.close()

            #expect(warnings.contains(.commitsAreNotFlushed(value: "2")))
            #expect(warnings.contains(.binaryLogIsNotFlushed(value: "0")))
        }
    }

    private func report(_ variables: [String: String]) -> MySQLServerReport {
        MySQLServerReport(isMariaDB: false, variables: variables, tls: nil, grants: [], wantedConnections: 16)
    }
}
