import Contract
import Testing

@Suite("Generated models")
struct GeneratedModelTests {
    private func parse(_ text: String) throws -> JSONValue {
        try JSONValue.parse(Array(text.utf8))
    }

    private func text(_ value: some WireEncodable) throws -> String {
        var json = JSONWriter()
        value.write(to: &json)
        return String(decoding: try json.finish(), as: UTF8.self)
    }

    @Test("read what the CLI sends to create a stack, and keep its state as it came")
    func readCreateStack() throws {
        let state =
            #"{"version":3,"deployment":{"manifest":{"time":"0001-01-01T00:00:00Z"},"secrets_providers":{"x":1.0}}}"#
        let body = try AppCreateStackRequest.decode(
            parse(#"{"stackName":"dev","tags":{"pulumi:project":"site"},"teams":null,"state":\#(state)}"#)
        )

        #expect(body.stackName == "dev")
        #expect(body.tags == ["pulumi:project": "site"])
        #expect(body.teams == nil)
        #expect(body.state?.text == state)
        #expect(body.config == nil)
    }

    @Test("read what the CLI sends to create an update")
    func readCreateUpdate() throws {
        let body = try AppUpdateProgramRequest.decode(
            parse(
                #"""
                {"name":"site","runtime":"go","main":"","description":"","options":{"localPolicyPackPaths":null,
                "color":"raw","dryRun":true,"parallel":2147483647,"showConfig":false,"analyzers":[]},
                "config":{"aws:region":{"string":"eu","secret":false,"object":false}},
                "metadata":{"message":"m","environment":null}}
                """#
            )
        )

        #expect(body.options?.dryRun == true)
        #expect(body.options?.parallel == 2_147_483_647)
        #expect(body.options?.localPolicyPackPaths == nil)
        #expect(body.config?["aws:region"]?.string == "eu")
        #expect(body.metadata?.message == "m")
        #expect(body.metadata?.environment == nil)
    }

    @Test("write a stack as the CLI reads it, with absent fields left out")
    func writeStack() throws {
        let stack = AppStack(
            id: "1",
            orgName: "acme",
            projectName: "site",
            stackName: "dev",
            activeUpdate: "",
            tags: ["b": "2", "a": "1"],
            version: 7
        )

        #expect(
            try text(stack)
                == #"{"id":"1","orgName":"acme","projectName":"site","stackName":"dev","activeUpdate":"","tags":{"a":"1","b":"2"},"version":7}"#
        )
    }

    @Test("keep the spelling of the wire where it is odd")
    func keepSpelling() throws {
        #expect(try text(AppImportStackResponse(updateId: "u")) == #"{"updateId":"u"}"#)
        #expect(try text(AppUpdateProgramResponse(updateID: "u")) == #"{"updateID":"u"}"#)
        #expect(
            try text(AppGetDefaultOrganizationResponse(gitHubLogin: "acme", messages: []))
                == #"{"GitHubLogin":"acme","Messages":[]}"#
        )
    }

    @Test("carry plaintexts and ciphertexts as base64, in maps and lists too")
    func carryBytes() throws {
        let request = try AppBatchDecryptRequest.decode(parse(#"{"ciphertexts":["AAE=","/+8="]}"#))
        let answer = AppBatchDecryptResponse(plaintexts: ["AAE=": Base64Bytes([104, 105])])

        #expect(request.ciphertexts?.map(\.bytes) == [[0, 1], [0xFF, 0xEF]])
        #expect(try text(answer) == #"{"plaintexts":{"AAE=":"aGk="}}"#)
        #expect(throws: WireError("ciphertexts[1]", "takes a base64 string, found another string")) {
            try AppBatchDecryptRequest.decode(try parse(#"{"ciphertexts":["AAE=","_-8="]}"#))
        }
        #expect(throws: WireError("plaintext", nil)) { try AppEncryptValueRequest.decode(try parse("{}")) }
    }

    @Test("read a word that is not in the contract as unknown")
    func readUnknownWords() throws {
        let known = try AppCompleteUpdateRequest.decode(parse(#"{"status":"succeeded"}"#))
        let american = try AppCompleteUpdateRequest.decode(parse(#"{"status":"canceled"}"#))

        #expect(known.status == .succeeded)
        #expect(american.status == .unknown("canceled"))
        #expect(american.status.rawValue == "canceled")
    }

    @Test("tell the kinds of a union apart by their word, through nested ones")
    func readUnions() throws {
        let rule = try ChangeGateRuleInput.decode(
            parse(
                #"""
                {"ruleType":"approval_required","numApprovalsRequired":2,"allowSelfApproval":false,
                "eligibleApprovers":[{"eligibilityType":"team_member","teamName":"ops"},{"eligibilityType":"psychic"}]}
                """#
            )
        )

        guard case .approvalRequired(let approval) = rule else {
            Issue.record("read as \(rule)")
            return
        }
        #expect(approval.numApprovalsRequired == 2)
        #expect(approval.eligibleApprovers?.count == 2)
        guard case .unknown("psychic") = approval.eligibleApprovers?.last else {
            Issue.record("read as \(String(describing: approval.eligibleApprovers?.last))")
            return
        }
        #expect(throws: WireError("ruleType", nil)) { try ChangeGateRuleInput.decode(try parse("{}")) }
        #expect(throws: WireError("ruleType", "takes a string, found a number")) {
            try ChangeGateRuleInput.decode(try parse(#"{"ruleType":1}"#))
        }
    }

    @Test("give back a union that holds itself as it came")
    func roundTripUnions() throws {
        let given =
            #"{"__type":"PermissionDescriptorCondition","condition":{"__type":"PermissionExpressionNot","node":{"__type":"PermissionExpressionEqual","left":{"__type":"PermissionExpressionStack"},"right":{"__type":"PermissionLiteralExpressionStack","identity":"dev"}}},"subNode":{"__type":"PermissionDescriptorAllow","permissions":["stack:read"]}}"#

        let read = try PermissionDescriptor.decode(parse(given))

        #expect(try parse(text(read)) == parse(given))
    }

    @Test("take a tag of any name")
    func takeAnyTag() throws {
        let tag = try StackTag.decode(parse(#"{"name":"owner","value":"me"}"#))

        #expect(tag.name == "owner")
        #expect(throws: WireError("value", nil)) { try StackTag.decode(try parse(#"{"name":"owner"}"#)) }
    }

    @Test("render as JSON, as nothing, as bytes, and with headers")
    func render() throws {
        guard case .json(let bytes) = try AppImportStackResponse(updateId: "u").render().content else {
            Issue.record("not rendered as JSON")
            return
        }
        #expect(bytes == Array(#"{"updateId":"u"}"#.utf8))

        guard case .none = NoContent().render().content else {
            Issue.record("rendered as something")
            return
        }

        let yaml = Revisioned(
            RawOutput(contentType: "application/x-yaml", text: "values: {}\n"),
            eTag: "\"3\"",
            revision: 3
        )
        let rendered = try yaml.render()
        #expect(rendered.headers.map(\.name) == ["ETag", "Pulumi-ESC-Revision"])
        #expect(rendered.headers.map(\.value) == ["\"3\"", "3"])
        guard case .raw(let raw) = rendered.content, case .bytes(let text) = raw.body else {
            Issue.record("not rendered as bytes")
            return
        }
        #expect(raw.contentType == "application/x-yaml")
        #expect(text == Array("values: {}\n".utf8))
    }
}
