package import Contract
import Kernel
package import Transfers

extension AWSRequest {
    /// A call to a service that takes JSON in the body and the action in a header, such as KMS.
    ///
    /// - Parameters:
    ///   - action: with the name of the interface before it, such as `TrentService.Decrypt`.
    ///   - version: of the protocol, `1.0` or `1.1`.
    package init(json action: String, version: String, at address: ServiceAddress, body: [UInt8]) {
        self.init(
            "POST",
            scheme: address.scheme,
            host: address.host.description,
            path: "\(address.path)/",
            headers: [("Content-Type", "application/x-amz-json-\(version)"), ("X-Amz-Target", action)],
            body: body
        )
    }
}

/// What such a service answered instead of a result.
package struct AWSRefusal: Error, CustomStringConvertible {
    /// The name of the exception, such as `AccessDeniedException`.
    package let code: String
    package let text: String

    package var description: String { text.isEmpty ? code : "\(code): \(text)" }

    /// Whether the same request may be taken a little later; its status does not say so.
    package var isThrottle: Bool {
        code.hasSuffix("ThrottlingException")
            || ["ProvisionedThroughputExceededException", "RequestLimitExceeded", "LimitExceededException"].contains(
                code
            )
    }

    package init(code: String, text: String) {
        self.code = code
        self.text = text
    }

    /// The object of an answer.
    ///
    /// - Throws: `AWSRefusal` when it is none of success.
    package static func object(
        of response: TransferResponse,
        limits: JSONLimits = JSONLimits()
    ) throws(AWSRefusal) -> JSONObject {
        guard case .object(let object)? = try? JSONValue.parse(response.body, limits: limits) else {
            throw AWSRefusal(code: "status \(response.status)", text: "the answer is no JSON object")
        }
        guard response.status != 200 else { return object }
        // The name stands behind a namespace, and the text in either of two members.
        let type = object[text: "__type"] ?? "status \(response.status)"
        let name = type.split(separator: "#").last.map { String($0) } ?? type
        throw AWSRefusal(code: name, text: object[text: "message"] ?? object[text: "Message"] ?? "")
    }
}
