import Contract

extension UserInfo {
    init(_ person: Person) {
        self.init(name: person.name, githubLogin: person.login, avatarUrl: person.avatarURL)
    }
}
