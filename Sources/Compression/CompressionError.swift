package import Kernel

/// Why compressed bytes could not be used.
package enum CompressionError: Error, Equatable {
    /// Not gzip, damaged, cut off, or followed by something else.
    case corrupt

    /// More output than allowed, or a ratio that no honest body has.
    case tooLarge
}

extension CompressionError {
    /// The refusal a client sees.
    package var serviceError: ServiceError {
        switch self {
        case .corrupt:
            ServiceError(.invalidArgument, "Bad Request: the body is not one complete gzip stream", cause: self)
        case .tooLarge:
            ServiceError(.tooLarge, "Content Too Large: the body inflates beyond the limit", cause: self)
        }
    }
}
