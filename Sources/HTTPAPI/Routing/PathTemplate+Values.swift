package import Kernel

extension PathTemplate {
    /// Parameters that clients encode twice (`spec/rest-wider.md` §1.5); the names are those of the contract.
    private static let encodedTwice: Set<String> = ["accountName", "resourceTypeAndId"]

    /// The values of the parameters, decoded, in the order of the path.
    ///
    /// - Throws: `.invalidArgument` naming the parameter whose bytes are no UTF-8 or whose second encoding is broken.
    package func values(_ segments: PathSegments, _ path: Span<UInt8>) throws(ServiceError) -> [String] {
        var values: [String] = []
        values.reserveCapacity(parameters.count)
        for (name, segment) in parameters {
            var bytes = segments.bytes(segment, of: path)
            if Self.encodedTwice.contains(name), bytes.contains(UInt8(ascii: "%")) {
                guard let decoded = PercentEncoding.decode(bytes) else {
                    throw .invalid(name, "has a '%' without two hexadecimal digits")
                }
                bytes = decoded
            }
            guard let text = try? UTF8Span(validating: bytes.span) else { throw .invalid(name, "is not UTF-8") }
            values.append(String(copying: text))
        }
        return values
    }
}
