import CScan

/// Searches that look at many bytes at a time.
package enum ByteSearch {
    /// Index of the first byte from `start` on that ends plain text: a quote, a backslash, a control character or one
    /// beyond ASCII; the end if there is none.
    ///
    /// - Parameter start: at most the end.
    @inline(__always)
    package static func endOfPlainText(_ bytes: Span<UInt8>, from start: Int) -> Int {
        bytes.withUnsafeBufferPointer { buffer in
            guard let base = buffer.baseAddress else { return 0 }
            return cairn_end_of_plain_text(base, start, buffer.count)
        }
    }

    /// Index of the first quote or backslash from `start` on; the end if there is none.
    ///
    /// - Parameter start: at most the end.
    @inline(__always)
    package static func quoteOrBackslash(_ bytes: Span<UInt8>, from start: Int) -> Int {
        bytes.withUnsafeBufferPointer { buffer in
            guard let base = buffer.baseAddress else { return 0 }
            return cairn_quote_or_backslash(base, start, buffer.count)
        }
    }
}
