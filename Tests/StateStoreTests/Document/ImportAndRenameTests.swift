import Kernel
import StateStore
import Testing

@Suite("Import checks (assertion 43)")
struct ImportCheckTests {
    private let target = StackNames(organization: "acme", project: "shop", stack: "dev")
    private static let secret =
        #"{"4dabf18193072939515e22adb298388d":"1b47061264138c4ac30d75fd1eb44270","ciphertext":"v1"}"#
    private static let plain =
        #"{"4dabf18193072939515e22adb298388d":"1b47061264138c4ac30d75fd1eb44270","plaintext":"1"}"#

    private func read(
        provider: String,
        value: String,
        pending: Bool = false,
        into names: [StackNames]
    ) throws -> DocumentContent {
        let resource = #"{"urn":"a","inputs":{"x":[{"y":\#(value)}]}}"#
        let list =
            pending
            ? #""pending_operations":[{"resource":\#(resource),"type":"creating"}]"# : #""resources":[\#(resource)]"#
        let orders = [#""secrets_providers":\#(provider),\#(list)"#, #"\#(list),"secrets_providers":\#(provider)"#]
        // The provider may come before the secrets or behind them.
        return try orders.map { body in
            try DocumentContent(of: [bytes(#"{"version":3,"deployment":{\#(body)}}"#)], importedInto: names)
        }[0]
    }

    private func service(_ owner: String, _ project: String, _ stack: String) -> String {
        #"{"type":"service","state":{"url":"u","owner":"\#(owner)","project":"\#(project)","stack":"\#(stack)"}}"#
    }

    @Test(
        "43: ciphertexts of another stack are refused",
        arguments: [("other", "shop", "dev"), ("acme", "other", "dev"), ("acme", "shop", "other")]
    )
    func foreign(owner: String, project: String, stack: String) throws {
        for pending in [false, true] {
            let error = #expect(throws: StateError.self) {
                try read(
                    provider: service(owner, project, stack),
                    value: Self.secret,
                    pending: pending,
                    into: [target]
                )
            }
            #expect(
                error?.serviceError.message.contains(
                    "cannot import deployment with encrypted secrets from a different stack"
                ) == true
            )
            #expect(error?.serviceError.code == .invalidArgument)
        }
    }

    @Test("43: everything else is taken")
    func accepted() throws {
        let foreign = service("other", "shop", "dev")
        for (provider, value) in [
            (service("acme", "shop", "dev"), Self.secret), (foreign, Self.plain), (foreign, "1"),
            (foreign, #""ciphertext""#),
            (foreign, Self.secret.replacing("v1", with: "")), (foreign, Self.secret.replacing("1b47", with: "0000")),
            (#"{"type":"passphrase","state":{"owner":"other"}}"#, Self.secret), ("null", Self.secret),
            ("{}", Self.secret),
        ] {
            #expect(throws: Never.self, "\(provider) \(value)") {
                _ = try read(provider: provider, value: value, into: [target])
            }
        }
        let former = StackNames(organization: "other", project: "shop", stack: "dev")
        _ = try read(provider: foreign, value: Self.secret, into: [target, former])
    }

    @Test("ciphertexts are found whatever hides them")
    func ciphertexts() throws {
        let sig = "4dabf18193072939515e22adb298388d"
        let kind = "1b47061264138c4ac30d75fd1eb44270"
        for (value, isFound) in [
            (#"{"ciphertext":"x","\#(sig)":"\#(kind)"}"#, true),
            (#"{"cipher\u0074ext":"x","\u0034dabf18193072939515e22adb298388d":"\#(kind)"}"#, true),
            (#"[[{"a":{"\#(sig)":"\#(kind)","ciphertext":"x"}}]]"#, true),
            (#"{"\#(sig)":"\#(kind)","a":{"ciphertext":"x"}}"#, false),
            (#"{"\#(sig)":["\#(kind)"],"ciphertext":"x"}"#, false),
            (#"{"\#(sig)":"\#(kind)","ciphertext":["x"]}"#, false),
            (#""{\"\#(sig)\":\"\#(kind)\",\"ciphertext\":\"x\"}""#, false),
        ] {
            let content = try? read(provider: service("other", "shop", "dev"), value: value, into: [target])
            #expect((content == nil) == isFound, "\(value)")
        }
    }
}

@Suite("Renaming a state (assertion 30)")
struct StackRenameTests {
    private let rename = StackRename(
        from: StackNames(organization: "o", project: "P", stack: "S"),
        to: StackNames(organization: "o2", project: "P2", stack: "S2")
    )

    private func renamed(_ source: String) throws -> String {
        text(try rename.apply(to: bytes(source)))
    }

    private func renamed(resource: String) throws -> String {
        let wrapped = try renamed(#"{"version":3,"deployment":{"resources":[\#(resource)]}}"#)
        return String(wrapped.dropFirst(#"{"version":3,"deployment":{"resources":["#.count).dropLast(3))
    }

    @Test(
        "30: URNs of the stack get its new names, those of other stacks stay",
        arguments: [
            ("urn:pulumi:S::P::t:m:A::n", "urn:pulumi:S2::P2::t:m:A::n"),
            ("urn:pulumi:S::P::t:m:A$t:m:B::a::b", "urn:pulumi:S2::P2::t:m:A$t:m:B::a::b"),
            ("urn:pulumi:S::P::pulumi:pulumi:Stack::P-S", "urn:pulumi:S2::P2::pulumi:pulumi:Stack::P2-S2"),
            ("urn:pulumi:S::P::pulumi:pulumi:Stack::odd", "urn:pulumi:S2::P2::pulumi:pulumi:Stack::P2-S2"),
            ("urn:pulumi:S::P::pulumi:pulumi:Stack$t:m:A::P-S", "urn:pulumi:S2::P2::pulumi:pulumi:Stack$t:m:A::P-S"),
            ("urn:pulumi:S::Q::t:m:A::n", nil), ("urn:pulumi:T::P::t:m:A::n", nil), ("urn:pulumi:s::P::t:m:A::n", nil),
            ("urn:pulumi:S::P::t:m:A", nil),
            ("urn:other:S::P::t:m:A::n", nil), ("S::P", nil), ("", nil),
        ] as [(String, String?)]
    )
    func urns(urn: String, expected: String?) {
        #expect(rename.renamed(urn: bytes(urn)).map { text($0) } == expected)
    }

    @Test("30: in every place where a resource names another one")
    func places() throws {
        let old = "urn:pulumi:S::P::t:m:A::n"
        let new = "urn:pulumi:S2::P2::t:m:A::n"
        let other = "urn:pulumi:T::P::t:m:A::n"
        let resource =
            #"{ "urn" : "\#(old)","parent":"\#(old)","dependencies":["\#(old)", "\#(other)"],"#
            + #""propertyDependencies":{"p":["\#(old)"],"q":[]},"provider":"\#(old)::id::\#(old)","aliases":["\#(old)"],"#
            + #""deletedWith":"\#(old)","replaceWith":["\#(old)"],"viewOf":"\#(old)","id":"\#(old)","n":1.10,"inputs":{"urn":"\#(old)"}}"#
        let expected = resource.replacing(old, with: new)
            .replacing(#""id":"\#(new)""#, with: #""id":"\#(old)""#)
            .replacing(#""inputs":{"urn":"\#(new)"}"#, with: #""inputs":{"urn":"\#(old)"}"#)
            .replacing(#""provider":"\#(new)::id::\#(new)""#, with: #""provider":"\#(old)::id::\#(old)""#)

        // The provider reference ends at its last `::`, so this odd one names a URN whose name is `n::id::urn:…`.
        let found = try renamed(resource: resource)
        #expect(
            found.replacing(#""provider":"\#(new)::id::\#(old)""#, with: #""provider":"\#(old)::id::\#(old)""#)
                == expected
        )
    }

    @Test("30: provider references keep their ids")
    func provider() throws {
        let source = #"{"provider":"urn:pulumi:S::P::pulumi:providers:aws::default_1::0b1c-2"}"#

        #expect(
            try renamed(resource: source)
                == #"{"provider":"urn:pulumi:S2::P2::pulumi:providers:aws::default_1::0b1c-2"}"#
        )
        #expect(try renamed(resource: #"{"provider":""}"#) == #"{"provider":""}"#)
    }

    private static let signature = #""4dabf18193072939515e22adb298388d""#

    @Test("30: resource references inside of properties, at any depth")
    func resourceReferences() throws {
        let reference =
            #"{\#(Self.signature):"5cf8f73096256a8f31e491e813e4eb8e","urn":"urn:pulumi:S::P::t:m:A::n","id":"i","packageVersion":""}"#
        let new = reference.replacing("S::P", with: "S2::P2")
        for key in ["inputs", "outputs", "replacementTrigger"] {
            let found = try renamed(
                resource: #"{"\#(key)":{"a":[\#(reference),{"b":\#(reference)}],"urn":"urn:pulumi:S::P::t:m:A::n"}}"#
            )
            #expect(found == #"{"\#(key)":{"a":[\#(new),{"b":\#(new)}],"urn":"urn:pulumi:S::P::t:m:A::n"}}"#)
        }
        #expect(try renamed(resource: #"{"other":\#(reference)}"#) == #"{"other":\#(reference)}"#)
    }

    @Test("30: also inside of the JSON text of secrets that are not encrypted; ciphertexts stay")
    func plaintexts() throws {
        let inner =
            #"{\#(Self.signature):"5cf8f73096256a8f31e491e813e4eb8e","urn":"urn:pulumi:S::P::t:m:A::é","x":1.0}"#
        func secret(_ member: String, _ content: String) -> String {
            let escaped = content.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
            return #"{\#(Self.signature):"1b47061264138c4ac30d75fd1eb44270","\#(member)":"\#(escaped)"}"#
        }
        let new = inner.replacing("S::P", with: "S2::P2")

        #expect(
            try renamed(resource: #"{"inputs":\#(secret("plaintext", inner))}"#)
                == #"{"inputs":\#(secret("plaintext", new))}"#
        )
        let nested = secret("plaintext", "[\(secret("plaintext", inner))]")
        #expect(
            try renamed(resource: #"{"inputs":\#(nested)}"#)
                == #"{"inputs":\#(secret("plaintext", "[\(secret("plaintext", new))]"))}"#
        )
        for same in [
            secret("ciphertext", inner), secret("plaintext", "no json {"),
            secret("plaintext", #""urn:pulumi:S::P::t:m:A::n""#),
        ] {
            #expect(try renamed(resource: #"{"inputs":\#(same)}"#) == #"{"inputs":\#(same)}"#)
        }
    }

    @Test("30: the service's own secrets provider, pending operations and snippets follow")
    func envelope() throws {
        let source =
            #"{"version":4,"features":["x"],"deployment":{"secrets_providers":{"type":"service","state":{"url":"u","owner":"o","project":"P", "stack":"S"}},"#
            + #""pending_operations":[{"type":"creating","resource":{"urn":"urn:pulumi:S::P::t:m:A::n"}}],"#
            + #""snippets":[{"uuid":"u","references":{"r":"urn:pulumi:S::P::t:m:A::n"},"name":"urn:pulumi:S::P::t:m:A::n"}],"more":1.0}}"#

        let expected = source.replacing(
            #""owner":"o","project":"P", "stack":"S""#,
            with: #""owner":"o2","project":"P2", "stack":"S2""#
        )
        .replacing(#"{"urn":"urn:pulumi:S::P"#, with: #"{"urn":"urn:pulumi:S2::P2"#)
        .replacing(#"{"r":"urn:pulumi:S::P"#, with: #"{"r":"urn:pulumi:S2::P2"#)
        #expect(try renamed(source) == expected)
        for same in [#"{"type":"passphrase","state":{"project":"P","stack":"S"}}"#, #"{"type":"service"}"#, "null"] {
            let document = #"{"version":3,"deployment":{"secrets_providers":\#(same)}}"#
            #expect(try renamed(document) == document)
        }
        #expect(try renamed(#"{"version":3,"deployment":null}"#) == #"{"version":3,"deployment":null}"#)
    }

    @Test("30: there and back gives the same bytes")
    func roundTrip() throws {
        let back = StackRename(
            from: StackNames(organization: "o2", project: "P2", stack: "S2"),
            to: StackNames(organization: "o", project: "P", stack: "S")
        )
        let source =
            #"{"version":3,"deployment":{"resources":[{"urn":"urn:pulumi:S::P::pulumi:pulumi:Stack::P-S"}, {"urn":"urn:pulumi:S::P::a:b:C::é","n":1e5}]}}"#

        #expect(text(try back.apply(to: rename.apply(to: bytes(source)))) == source)
    }

    @Test("what is no state is refused")
    func malformed() {
        #expect(throws: StateError.self) { try rename.apply(to: bytes("{")) }
    }
}
