import CloudAccess
import Kernel

extension ServiceError {
    /// What DynamoDB refused, in words for the operator; the refusal itself is the cause.
    static func dynamo(_ refusal: AWSRefusal, _ action: String, _ table: String) -> ServiceError {
        switch refusal.code {
        case "ResourceNotFoundException":
            return .unavailable("\(table) does not exist, or not in this region and account", cause: refusal)
        case "AccessDeniedException":
            return .unavailable("\(table): these credentials may not use dynamodb:\(action)", cause: refusal)
        case "UnrecognizedClientException", "InvalidSignatureException", "SignatureDoesNotMatch",
            "IncompleteSignatureException", "MissingAuthenticationTokenException", "ExpiredTokenException":
            return .unavailable("\(table): the credentials are refused: \(refusal)", cause: refusal)
        case _ where refusal.isThrottle:
            return .unavailable("\(table) takes no more now: its capacity is used up", cause: refusal)
        default:
            return .unavailable("\(table): dynamodb:\(action) fails: \(refusal)", cause: refusal)
        }
    }

    /// What part of a batch was not taken, again and again.
    static func dynamoUnprocessed(_ count: Int, _ table: String) -> ServiceError {
        let refusal = AWSRefusal(code: "ThrottlingException", text: "\(count) items stay unprocessed")
        return .dynamo(refusal, "BatchWriteItem", table)
    }

    /// What DynamoDB said, if this is about something it said.
    var refusal: AWSRefusal? { cause as? AWSRefusal }
}
