import StateStore
import Testing

@Suite("What a fold does to references")
struct RepairTests {
    /// Folds one refresh that takes resource `gone` out of the base; answers the text of the last resource.
    private func refreshed(_ resource: String) throws -> String {
        let base =
            #"{"version":3,"deployment":{"resources":[{"urn":"kept","type":"t"},{"urn":"gone","type":"t"},\#(resource)]}}"#
        let entries = ["1 k0 op1", "2 k3 op1 removeOld=1 isRefresh"].map(JournalScript.entry)
        let document = try JournalScript.fold(base, batches: [entries])
        return text(document.deployment?.resources.last?.bytes ?? [])
    }

    @Test(
        "seen 20: a refresh takes references to vanished resources out and nothing else",
        arguments: [
            (
                #"{"urn":"r", "dependencies":[ "gone" , "kept" ] ,"x":1.0}"#,
                #"{"urn":"r", "dependencies":[ "kept" ] ,"x":1.0}"#
            ),
            (#"{"urn":"r","dependencies":["kept","gone"]}"#, #"{"urn":"r","dependencies":["kept"]}"#),
            (
                #"{"urn":"r","dependencies":["gone","gone","kept","gone","gone","kept","gone"]}"#,
                #"{"urn":"r","dependencies":["kept","kept"]}"#
            ),
            (#"{"urn":"r","dependencies":["gone"],"x":1}"#, #"{"urn":"r","x":1}"#),
            (#"{"dependencies":["gone"],"urn":"r"}"#, #"{"urn":"r"}"#),
            (#"{"dependencies":["gone"],"parent":"gone","urn":"r"}"#, #"{"urn":"r"}"#),
            (#"{"urn":"r","dependencies":["gone"] , "replaceWith":["gone"]}"#, #"{"urn":"r"}"#),
            (#"{"urn":"r","dependencies":[]}"#, #"{"urn":"r"}"#),
            (#"{"urn":"r","parent":"gone","deletedWith":"gone"}"#, #"{"urn":"r"}"#),
            (
                #"{"urn":"r","parent":"kept","deletedWith":"kept"}"#,
                #"{"urn":"r","parent":"kept","deletedWith":"kept"}"#
            ),
            (#"{"urn":"r","replaceWith":["kept","gone"]}"#, #"{"urn":"r","replaceWith":["kept"]}"#),
            (
                #"{"urn":"r","propertyDependencies":{"a":["gone"],"b":["kept", "gone"],"c":[],"d":null}}"#,
                #"{"urn":"r","propertyDependencies":{"b":["kept"]}}"#
            ),
            (#"{"urn":"r","propertyDependencies":{"a":[],"b":["gone"]},"x":{}}"#, #"{"urn":"r","x":{}}"#),
            (#"{"urn":"r","propertyDependencies":{}}"#, #"{"urn":"r"}"#),
            (
                #"{"urn":"r","par\u0065nt":"gone","d\u0065pendencies":["g\u006fne","k\u0065pt"]}"#,
                #"{"urn":"r","d\u0065pendencies":["k\u0065pt"]}"#
            ),
            (
                #"{"urn":"r","parent":null,"dependencies":null,"deletedWith":""}"#,
                #"{"urn":"r","parent":null,"dependencies":null,"deletedWith":""}"#
            ),
            (
                #"{"urn":"r","inputs":{"dependencies":["gone"],"parent":"gone"}}"#,
                #"{"urn":"r","inputs":{"dependencies":["gone"],"parent":"gone"}}"#
            ),
            (
                #"{"urn":"r","provider":"gone::id","viewOf":"gone"}"#,
                #"{"urn":"r","provider":"gone::id","viewOf":"gone"}"#
            ),
        ]
    )
    func repair(resource: String, expected: String) throws {
        #expect(try refreshed(resource) == expected)
    }

    @Test("a reference to a later resource is dangling, a parent may stand anywhere")
    func order() throws {
        let base =
            #"{"version":3,"deployment":{"resources":[{"urn":"a","parent":"b","dependencies":["b"]},{"urn":"b"}]}}"#
        let document = try JournalScript.fold(
            base,
            batches: [["1 k0 op1", "2 k3 op1 isRefresh"].map(JournalScript.entry)]
        )

        #expect(
            document.deployment?.resources.map { text($0.bytes) } == [#"{"urn":"a","parent":"b"}"#, #"{"urn":"b"}"#]
        )
    }

    @Test("without a refresh dangling references stay")
    func noRefresh() throws {
        let resource = #"{"urn":"a","dependencies":["gone"],"propertyDependencies":{"p":[]}}"#
        let document = try JournalScript.fold(
            #"{"version":3,"deployment":{"resources":[\#(resource)]}}"#,
            batches: [[JournalScript.entry("1 k0 op1")]]
        )

        #expect(document.deployment?.resources.map { text($0.bytes) } == [resource])
    }

    @Test(
        "marks are set at the span, all other bytes stay",
        arguments: [
            (#"{ "urn":"a" , "x":1.10 }"#, #"{ "urn":"a" , "x":1.10 ,"delete":true}"#),
            (#"{"urn":"a","delete":false,"x":1}"#, #"{"urn":"a","x":1,"delete":true}"#),
            (#"{"delete":false}"#, #"{"delete":true}"#),
            (#"{}"#, #"{"delete":true}"#),
            (#"{"delete":false,"delete":false,"urn":"a"}"#, #"{"urn":"a","delete":true}"#),
            (#"{"urn":"a","delete":true}"#, #"{"urn":"a","delete":true}"#),
            (#"{"urn":"a","delete":null}"#, #"{"urn":"a","delete":true}"#),
            (#"{"inputs":{"delete":false}}"#, #"{"inputs":{"delete":false},"delete":true}"#),
        ]
    )
    func marks(resource: String, expected: String) throws {
        let base = #"{"version":3,"deployment":{"resources":[\#(resource)]}}"#
        let document = try JournalScript.fold(base, batches: [[JournalScript.entry("1 k1 op1 deleteOld=0")]])

        #expect(document.deployment?.resources.map { text($0.bytes) } == [expected])
    }

    private static let prefix = "urn:pulumi:dev::shop::"

    @Test("aliases are followed in every reference and then dropped")
    func aliases() throws {
        let p = Self.prefix
        let moved = #"{"urn":"\#(p)t:a:B::new","type":"t:a:B","aliases":["\#(p)t:a:B::old"],"keep":1}"#
        let user =
            #"{"urn":"\#(p)t:a:C::user","parent":"\#(p)t:a:B::old","provider":"\#(p)t:a:B::old::the::id","#
            + #""dependencies":["\#(p)t:a:B::old"],"propertyDependencies":{"x":["\#(p)t:a:B::old"]},"#
            + #""deletedWith":"\#(p)t:a:B::old","viewOf":"\#(p)t:a:B::old","replaceWith":["\#(p)t:a:B::old"],"inputs":"\#(p)t:a:B::old"}"#
        let base =
            #"{"version":3,"deployment":{"resources":[\#(moved),\#(user)],"snippets":[{"uuid":"u","references":{"r":"\#(p)t:a:B::old"}}]}}"#

        let document = try JournalScript.fold(base, batches: [[JournalScript.entry("1 k0 op1")]])

        let texts = document.deployment?.resources.map { text($0.bytes) }
        #expect(texts?.first == #"{"urn":"\#(p)t:a:B::new","type":"t:a:B","keep":1}"#)
        // The child's own type is qualified by its parent's now.
        #expect(
            texts?.last
                == #"{"urn":"\#(p)t:a:B$t:a:C::user","parent":"\#(p)t:a:B::new","provider":"\#(p)t:a:B::new::id","#
                .replacing("new::id", with: "old::the::id")
                + #""dependencies":["\#(p)t:a:B::new"],"propertyDependencies":{"x":["\#(p)t:a:B::new"]},"#
                + #""deletedWith":"\#(p)t:a:B::new","viewOf":"\#(p)t:a:B::new","replaceWith":["\#(p)t:a:B::old"],"inputs":"\#(p)t:a:B::old"}"#
        )
        #expect(
            document.deployment?.value("snippets").map { text($0) }
                == #"[{"uuid":"u","references":{"r":"\#(p)t:a:B::new"}}]"#
        )
    }

    @Test("a provider reference under an alias keeps its id")
    func aliasedProvider() throws {
        let p = Self.prefix
        let provider =
            #"{"urn":"\#(p)pulumi:providers:x::new","type":"pulumi:providers:x","aliases":["\#(p)pulumi:providers:x::old"]}"#
        let user = #"{"urn":"\#(p)t:a:C::user","provider":"\#(p)pulumi:providers:x::old::id-1"}"#
        let document = try JournalScript.fold(
            #"{"version":3,"deployment":{"resources":[\#(provider),\#(user)]}}"#,
            batches: [[JournalScript.entry("1 k0 op1")]]
        )

        let expected = #"{"urn":"\#(p)t:a:C::user","provider":"\#(p)pulumi:providers:x::new::id-1"}"#
        #expect(document.deployment?.resources.last.map { text($0.bytes) } == expected)
    }

    @Test("two resources that claim one alias leave the list as it is")
    func aliasConflict() throws {
        let resources = #"[{"urn":"a","aliases":["x"]},{"urn":"b","aliases":["x"]}]"#
        let document = try JournalScript.fold(
            #"{"version":3,"deployment":{"resources":\#(resources)}}"#,
            batches: [[JournalScript.entry("1 k0 op1")]]
        )

        #expect(
            "[" + (document.deployment?.resources.map { text($0.bytes) } ?? []).joined(separator: ",") + "]"
                == resources
        )
    }
}
