import Contract
import HTTPAPI

/// `POST /echo`: a list of texts in, the same out.
enum EchoJSON: APIOperation {
    typealias Path = NoPath
    typealias Query = NoQuery
    typealias Body = Note
    typealias Output = Note
    static let descriptor = OperationDescriptor(
        id: "echoJSON",
        tag: "lab",
        method: .post,
        path: "/echo",
        ignoresUnknownFields: true
    )
}

/// `POST /strict`: the same, and takes no field that it does not know.
enum EchoStrictly: APIOperation {
    typealias Path = NoPath
    typealias Query = NoQuery
    typealias Body = Note
    typealias Output = Note
    static let descriptor = OperationDescriptor(id: "echoStrictly", tag: "lab", method: .post, path: "/strict")
}

/// `POST /raw`: bytes in, bytes out.
enum EchoRaw: APIOperation {
    typealias Path = NoPath
    typealias Query = NoQuery
    typealias Body = RawBody
    typealias Output = RawOutput
    static let descriptor = OperationDescriptor(id: "echoRaw", tag: "lab", method: .post, path: "/raw")
}

/// `POST /raw-json`: JSON in as bytes, bytes out.
enum EchoRawJSON: APIOperation {
    typealias Path = NoPath
    typealias Query = NoQuery
    typealias Body = RawJSONBody
    typealias Output = RawOutput
    static let descriptor = OperationDescriptor(id: "echoRawJSON", tag: "lab", method: .post, path: "/raw-json")
}

/// `GET /text`: an answer of the test's choice.
enum GiveText: APIOperation {
    typealias Path = NoPath
    typealias Query = NoQuery
    typealias Body = NoBody
    typealias Output = RawOutput
    static let descriptor = OperationDescriptor(id: "giveText", tag: "lab", method: .get, path: "/text")
}

/// `GET /note`: an answer in JSON.
enum GiveNote: APIOperation {
    typealias Path = NoPath
    typealias Query = NoQuery
    typealias Body = NoBody
    typealias Output = Note
    static let descriptor = OperationDescriptor(id: "giveNote", tag: "lab", method: .get, path: "/note")
}

/// `DELETE /note`: nothing to say.
enum RemoveNote: APIOperation {
    typealias Path = NoPath
    typealias Query = NoQuery
    typealias Body = NoBody
    typealias Output = NoContent
    static let descriptor = OperationDescriptor(
        id: "removeNote",
        tag: "lab",
        method: .delete,
        path: "/note",
        successStatus: 204
    )
}

/// `GET /things/{thing}/of/{accountName}`: the parameters of the path; clients encode the second one twice.
enum GiveThing: APIOperation {
    struct Path: OperationPath {
        static let parameters = ["thing", "accountName"]
        let thing: String
        let accountName: String

        init(pathValues: [String]) {
            thing = pathValues[0]
            accountName = pathValues[1]
        }
    }

    typealias Query = NoQuery
    typealias Body = NoBody
    typealias Output = Note
    static let descriptor = OperationDescriptor(
        id: "giveThing",
        tag: "lab",
        method: .get,
        path: "/things/{thing}/of/{accountName}",
        pathParameters: Path.parameters
    )
}

/// `POST /stacks/{orgName}/{projectName}/{stackName}/update/{updateID}`: a step of a running update.
enum StepUpdate: APIOperation {
    struct Path: UpdateScoped {
        static let parameters = ["orgName", "projectName", "stackName", "updateID"]
        let orgName: String
        let projectName: String
        let stackName: String
        let updateID: String

        init(pathValues: [String]) {
            orgName = pathValues[0]
            projectName = pathValues[1]
            stackName = pathValues[2]
            updateID = pathValues[3]
        }
    }

    typealias Query = NoQuery
    typealias Body = RawBody
    typealias Output = NoContent
    static let descriptor = OperationDescriptor(
        id: "stepUpdate",
        tag: "lab",
        method: .post,
        path: "/stacks/{orgName}/{projectName}/{stackName}/update/{updateID}",
        pathParameters: Path.parameters,
        successStatus: 204,
        usesUpdateToken: true
    )
}

/// `{"text":"…"}`.
struct Note: WireDecodable, WireEncodable, OperationBody, OperationOutput {
    var text: String

    init(_ text: String) {
        self.text = text
    }

    init(wire value: JSONValue, at path: FieldPath) throws(WireError) {
        let fields = try WireFields(value, at: path)
        text = try fields.string("text") ?? ""
    }

    func write(to json: inout JSONWriter) {
        json.beginObject()
        json.field("text", string: text)
        json.endObject()
    }
}

extension Lab {
    /// The operations that give back what they get, with small limits.
    static func echo(limits: BodyLimits = BodyLimits(received: 1000, inflated: 4000)) -> Lab {
        Lab { routes in
            let options = RouteOptions(limits: limits)
            routes.query(EchoJSON.self, access: .authenticated, options: options) { call -> Note in call.body }
            routes.query(EchoRaw.self, access: .authenticated, options: options) { call -> RawOutput in
                RawOutput(contentType: "application/octet-stream", .bytes(try await gather(call.content.pieces)))
            }
            routes.query(EchoRawJSON.self, access: .authenticated, options: options) { call -> RawOutput in
                RawOutput(contentType: "application/octet-stream", .bytes(try await gather(call.content.pieces)))
            }
        }
    }
}

private func gather(_ pieces: IncomingBody.Pieces) async throws -> [UInt8] {
    var bytes: [UInt8] = []
    for try await piece in pieces { bytes += piece }
    return bytes
}
