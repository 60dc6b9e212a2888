import Contract

extension OperationMethod {
    /// Its place in `allCases`.
    var position: Int {
        switch self {
        case .get: 0
        case .head: 1
        case .post: 2
        case .put: 3
        case .patch: 4
        case .delete: 5
        }
    }
}
