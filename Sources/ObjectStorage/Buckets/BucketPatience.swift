import OutboundHTTP

extension ServiceClient.Patience {
    /// How long a request to a bucket is tried before it is refused (`design/reliability-security.md` R-26); an attempt may
    /// take as long as a part does over a slow line.
    ///
    /// Deletions give up soon: a client may wait for the answer behind them, and the sweeper finds what was left.
    ///
    /// - Parameter body: the most bytes of an answer.
    init(ofBucket method: String, body: Int) {
        self.init(total: .seconds(method == "DELETE" ? 3 : 20), transfer: .seconds(60), body: body)
    }
}
