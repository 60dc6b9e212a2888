/// What is wrong with the URL of a bucket, all of it in one text.
package struct BucketURLProblem: Error, CustomStringConvertible {
    package let description: String

    init(_ text: String) {
        description = text
    }
}
