package import Contract

/// Probes of load balancers and orchestrators.
///
/// They are not part of the contract.
package enum StatusOperations {
    /// `GET /livez`: a loop thread answers.
    ///
    /// Touches nothing else, so that an outage does not cause restarts.
    package enum Live: APIOperation {
        package typealias Path = NoPath
        package typealias Query = NoQuery
        package typealias Body = NoBody
        package typealias Output = StatusAnswer
        package static let descriptor = OperationDescriptor(id: "livez", tag: "status", method: .get, path: "/livez")
    }

    /// `GET /readyz`: whether this process can do its work now, and if not, what is missing.
    package enum Ready: APIOperation {
        package typealias Path = NoPath
        package typealias Query = NoQuery
        package typealias Body = NoBody
        package typealias Output = StatusAnswer
        package static let descriptor = OperationDescriptor(id: "readyz", tag: "status", method: .get, path: "/readyz")
    }

    /// `GET /api/status`: what the vendor's installers and load balancers poll; 200 when traffic should come here.
    package enum Status: APIOperation {
        package typealias Path = NoPath
        package typealias Query = NoQuery
        package typealias Body = NoBody
        package typealias Output = StatusAnswer
        package static let descriptor = OperationDescriptor(
            id: "status",
            tag: "status",
            method: .get,
            path: "/api/status"
        )
    }
}

/// `{"status":"ok"}`, or `{"status":"unavailable","failed":{"database":"…"}}`.
package struct StatusAnswer: WireEncodable {
    package var status: String
    /// What is missing, by name.
    package var failed: [String: String]

    package init(_ status: String, failed: [String: String] = [:]) {
        self.status = status
        self.failed = failed
    }

    package func write(to json: inout JSONWriter) {
        json.beginObject()
        json.field("status", string: status)
        if !failed.isEmpty {
            json.field("failed", map: failed)
        }
        json.endObject()
    }
}
