/// The status code of an answer.
///
/// An open set: the named ones are those that Cairn sends. The server answers with 500 in place of a code outside of
/// 200…599, because the others have a meaning for the connection that a handler cannot give them.
package struct HTTPStatus: Hashable, Sendable, CustomStringConvertible, ExpressibleByIntegerLiteral {
    package let code: Int

    package init(_ code: Int) {
        self.code = code
    }

    package init(integerLiteral code: Int) {
        self.code = code
    }

    package var description: String { String(code) }

    /// Whether an answer with this code never has a body (RFC 9110 §6.4.1).
    package var isBodyless: Bool { code == 204 || code == 304 }

    package static let ok = Self(200)
    package static let created = Self(201)
    package static let accepted = Self(202)
    package static let noContent = Self(204)
    package static let found = Self(302)
    package static let seeOther = Self(303)
    package static let notModified = Self(304)
    package static let temporaryRedirect = Self(307)
    package static let badRequest = Self(400)
    package static let unauthorized = Self(401)
    package static let forbidden = Self(403)
    package static let notFound = Self(404)
    package static let methodNotAllowed = Self(405)
    package static let requestTimeout = Self(408)
    package static let conflict = Self(409)
    package static let preconditionFailed = Self(412)
    package static let contentTooLarge = Self(413)
    package static let uriTooLong = Self(414)
    package static let unsupportedMediaType = Self(415)
    package static let expectationFailed = Self(417)
    package static let unprocessableContent = Self(422)
    package static let tooManyRequests = Self(429)
    package static let headerFieldsTooLarge = Self(431)
    package static let internalServerError = Self(500)
    package static let notImplemented = Self(501)
    package static let serviceUnavailable = Self(503)
}
