import CMariaDB

/// Every option of the client library that matters, with none left to the default of the build, which differs between
/// versions.
struct MySQLOptions {
    /// Ways to log in that are allowed.
    ///
    /// Never clear text, which a server could ask for.
    static let authentication = "mysql_native_password,caching_sha2_password,sha256_password"

    /// The longest row that is accepted; a server may say that it sends more.
    private static let longestMessage = 256 << 20

    private let tls: MySQLConfiguration.TLS?
    private let authority: CertificateFile?
    private let connect: UInt32
    private let socket: UInt32

    init(_ configuration: MySQLConfiguration, authority: CertificateFile?, purpose: MySQLConnection.Purpose) {
        tls = configuration.tls
        self.authority = authority
        connect = Self.seconds(configuration.limits.connect)
        socket = Self.seconds(
            purpose == .work ? configuration.limits.socket : configuration.limits.migrationStatement
        )
    }

    func apply(to handle: UnsafeMutablePointer<MYSQL>) {
        // The name "localhost" would mean a socket file otherwise.
        set(handle, MYSQL_OPT_PROTOCOL, MYSQL_PROTOCOL_TCP.rawValue)
        set(handle, MYSQL_OPT_CONNECT_TIMEOUT, connect)
        set(handle, MYSQL_OPT_READ_TIMEOUT, socket)
        set(handle, MYSQL_OPT_WRITE_TIMEOUT, socket)
        set(handle, MYSQL_OPT_RECONNECT, my_bool(0))
        // It lets the server ask for our files.
        set(handle, MYSQL_OPT_LOCAL_INFILE, UInt32(0))
        set(handle, MYSQL_OPT_CAN_HANDLE_EXPIRED_PASSWORDS, my_bool(0))
        set(handle, MYSQL_SECURE_AUTH, my_bool(1))
        set(handle, MYSQL_REPORT_DATA_TRUNCATION, my_bool(1))
        set(handle, MYSQL_OPT_MAX_ALLOWED_PACKET, Self.longestMessage)
        mysql_options(handle, MYSQL_SET_CHARSET_NAME, "utf8mb4")
        mysql_options(handle, MARIADB_OPT_RESTRICTED_AUTH, Self.authentication)
        let wantsTLS = my_bool(tls == nil ? 0 : 1)
        set(handle, MYSQL_OPT_SSL_ENFORCE, wantsTLS)
        set(handle, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, wantsTLS)
        if let tls, let authority {
            mysql_options(handle, MYSQL_OPT_SSL_CA, authority.path)
            mysql_options(handle, MARIADB_OPT_TLS_VERSION, tls.minimumVersion.andLater)
            // OpenSSL speaks the old versions only where their signatures by SHA-1 are allowed, too.
            if tls.minimumVersion.isOld { mysql_options(handle, MYSQL_OPT_SSL_CIPHER, "DEFAULT:@SECLEVEL=0") }
        }
    }

    private func set<Value: BitwiseCopyable>(
        _ handle: UnsafeMutablePointer<MYSQL>,
        _ option: mysql_option,
        _ value: Value
    ) {
        withUnsafePointer(to: value) { _ = mysql_options(handle, option, $0) }
    }

    /// The library counts whole seconds, and takes 0 for "no limit".
    private static func seconds(_ duration: Duration) -> UInt32 {
        UInt32(clamping: max(1, duration.components.seconds))
    }
}
