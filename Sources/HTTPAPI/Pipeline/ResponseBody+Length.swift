import HTTPServer

extension ResponseBody {
    /// The number of bytes that will be sent, where it is known before they are.
    var knownLength: Int? {
        switch self {
        case .none: 0
        case .bytes(let bytes): bytes.count
        case .file(_, offset: _, let length): Int(length)
        case .stream(let length, _): length.map { Int($0) }
        }
    }
}
