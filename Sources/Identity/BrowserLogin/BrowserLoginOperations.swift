package import Contract

/// Pages that a client opens in a browser.
///
/// They are not part of the contract; their paths and parameters are those of `spec/cli-protocol.md` §5.5.
package enum BrowserLoginOperations {
    /// `GET /cli-login`: asks the person to log in for the client that opened it.
    package enum Form: APIOperation {
        package typealias Path = NoPath
        package typealias Query = FreeQuery
        package typealias Body = NoBody
        package typealias Output = WebPage
        package static let descriptor = OperationDescriptor(
            id: "cliLoginForm",
            tag: "console",
            method: .get,
            path: "/cli-login",
            responseContentTypes: ["text/html"]
        )
    }

    /// `POST /cli-login`: takes what the person entered, and sends the browser back to the client.
    package enum Submit: APIOperation {
        package typealias Path = NoPath
        package typealias Query = NoQuery
        package typealias Body = RawBody
        package typealias Output = WebPage
        package static let descriptor = OperationDescriptor(
            id: "cliLogin",
            tag: "console",
            method: .post,
            path: "/cli-login",
            requestContentTypes: ["application/x-www-form-urlencoded"],
            responseContentTypes: ["text/html"],
            successStatus: 303
        )
    }

    /// `GET /cli-login.css`: how the pages look.
    package enum Style: APIOperation {
        package typealias Path = NoPath
        package typealias Query = NoQuery
        package typealias Body = NoBody
        package typealias Output = WebPage
        package static let descriptor = OperationDescriptor(
            id: "cliLoginStyle",
            tag: "console",
            method: .get,
            path: "/cli-login.css",
            responseContentTypes: ["text/css"]
        )
    }

    /// `GET /welcome/cli`: where clients send the browser when they have what they asked for.
    package enum Welcome: APIOperation {
        package typealias Path = NoPath
        package typealias Query = NoQuery
        package typealias Body = NoBody
        package typealias Output = WebPage
        package static let descriptor = OperationDescriptor(
            id: "cliWelcome",
            tag: "console",
            method: .get,
            path: "/welcome/cli",
            responseContentTypes: ["text/html"]
        )
    }
}

/// A query that is read by the handler, which answers a wrong one in a form of its own.
package struct FreeQuery: OperationQuery {
    package static let parameters: [QueryParameterDescriptor] = []

    package let parameters: QueryParameters

    package init(_ query: QueryParameters) {
        parameters = query
    }
}
