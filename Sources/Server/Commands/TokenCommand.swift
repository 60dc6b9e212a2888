import Identity
import Kernel
import Persistence

/// `cairn token`: an access token for somebody who has lost theirs.
package struct TokenCommand: Command {
    package static let name = "token"
    package static let summary = "Makes an access token for somebody who has lost theirs"
    package static let details = """
        The token is printed once, alone on standard output. It is for whoever may run programs with the server's settings: \
        they could read its data anyway. The audit log says that it was made. It may run beside the server.
        """
    package static let options = [
        CommandOption("--login", value: "NAME", "whose token; CAIRN_ADMIN_LOGIN or 'admin' by default")
    ]

    private let login: String?

    package init(_ parsed: ParsedArguments) {
        login = parsed.options["--login"]
    }

    package func run(_ environment: ProcessEnvironment) async -> Int32 {
        do {
            let configuration = try Configuration(settings: environment.settings)
            let login = login.map { OrganizationName(unchecked: $0) } ?? configuration.installation.administrator
            guard let databases = try await Databases.look(at: configuration.database) else {
                throw ServiceError.unavailable("\(Databases.name(of: configuration.database)) does not exist yet")
            }
            let service = PersonalTokenService(database: databases.database, effects: environment.effects)
            let secret: TokenSecret
            do {
                try await MoveMark.refuse(databases.database, name: databases.name)
                secret = try await service.recover(login)
            } catch {
                await databases.database.close()
                throw error
            }
            await databases.database.close()
            environment.standardOutput("\(secret.text.reveal())\n")
            return ExitCode.success
        } catch {
            return Self.refuse(error, environment)
        }
    }
}
