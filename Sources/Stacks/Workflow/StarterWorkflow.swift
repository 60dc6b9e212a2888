package import Kernel

/// A file that makes a CI system run `pulumi preview` on proposals and `pulumi up` on the default branch.
///
/// It is a beginning to be edited: credentials for clouds are not in it.
package struct StarterWorkflow: Sendable {
    package enum System: String, Sendable, CaseIterable {
        case gitHubActions = "github-actions"
        case gitLab = "gitlab"
    }

    /// A language of Pulumi programs, by the stack's tag `pulumi:runtime`.
    package enum Runtime: String, Sendable, CaseIterable {
        case nodejs, python, go, dotnet, java, yaml
    }

    private let system: System
    private let runtime: Runtime
    private let stack: StackRef
    private let directory: String
    private let filtersPaths: Bool

    /// - Parameters:
    ///   - directory: of the program within the repository; empty for its root.
    ///   - filtersPaths: whether only changes in that directory count.
    /// - Throws: `.invalidArgument` for what cannot stand in such a file.
    package init(
        _ system: System,
        _ runtime: Runtime,
        of stack: StackRef,
        directory: String,
        filtersPaths: Bool
    ) throws(ServiceError) {
        let path = directory.isEmpty ? "." : directory
        let isPlain = path.utf8.allSatisfy { byte in
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
            default: "-_./".utf8.contains(byte)
            }
        }
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        guard isPlain, path.utf8.count <= 255, path.first != "/", path.first != "-", !parts.contains("..") else {
            throw .invalid("workingDirectory", "must be a path within the repository, without spaces")
        }
        self.system = system
        self.runtime = runtime
        self.stack = stack
        self.directory = path
        self.filtersPaths = filtersPaths
    }

    package var text: String {
        switch system {
        case .gitHubActions: gitHubActions
        case .gitLab: gitLab
        }
    }

    // MARK: - GitHub Actions

    private var gitHubActions: String {
        let filter = filtersPaths && directory != "." ? "\n    paths: [\"\(directory)/**\"]" : ""
        return """
            # Previews every pull request and updates \(stack) from the default branch.
            # Set the repository's variable PULUMI_BACKEND_URL to the address of this service, and its secret
            # PULUMI_ACCESS_TOKEN to an access token that can update the stack.
            name: Pulumi \(stack.name)
            on:
              pull_request:\(filter)
              push:
                branches: [main]\(filter)
            concurrency: pulumi-\(stack.project)-\(stack.name)
            permissions:
              contents: read
              pull-requests: write
            jobs:
              pulumi:
                runs-on: ubuntu-latest
                steps:
                  - uses: actions/checkout@v4
            \(Self.indented(setupSteps, by: 6))      - uses: pulumi/actions@v6
                    with:
                      command: ${{ github.event_name == 'push' && 'up' || 'preview' }}
                      stack-name: \(stack)
                      work-dir: \(directory)
                      comment-on-pr: ${{ github.event_name == 'pull_request' }}
                    env:
                      PULUMI_BACKEND_URL: ${{ vars.PULUMI_BACKEND_URL }}
                      PULUMI_ACCESS_TOKEN: ${{ secrets.PULUMI_ACCESS_TOKEN }}

            """
    }

    private var setupSteps: [String] {
        switch runtime {
        case .nodejs:
            [
                "- uses: actions/setup-node@v4", "  with:", "    node-version: lts/*",
                "- run: npm install", "  working-directory: \(directory)",
            ]
        case .python:
            [
                "- uses: actions/setup-python@v5", "  with:", "    python-version: \"3.x\"",
                "- run: pip install -r requirements.txt", "  working-directory: \(directory)",
            ]
        case .go:
            ["- uses: actions/setup-go@v5", "  with:", "    go-version: stable"]
        case .dotnet:
            ["- uses: actions/setup-dotnet@v4", "  with:", "    dotnet-version: 8.x"]
        case .java:
            ["- uses: actions/setup-java@v4", "  with:", "    distribution: temurin", "    java-version: \"21\""]
        case .yaml:
            []
        }
    }

    // MARK: - GitLab

    private var gitLab: String {
        let filter =
            filtersPaths && directory != "." ? "\n      changes: [\"\(directory)/**/*\"]" : ""
        return """
            # Previews every merge request and updates \(stack) from the default branch.
            # Set the CI variables PULUMI_BACKEND_URL to the address of this service and PULUMI_ACCESS_TOKEN (masked) to
            # an access token that can update the stack.
            default:
              image: \(image)
              before_script:
                - cd \(directory)
            \(Self.indented(installCommands.map { "- \($0)" }, by: 4))    - pulumi login
                - pulumi stack select \(stack)

            preview:
              rules:
                - if: $CI_PIPELINE_SOURCE == "merge_request_event"\(filter)
              script:
                - pulumi preview

            update:
              resource_group: pulumi-\(stack.project)-\(stack.name)
              rules:
                - if: $CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH\(filter)
              script:
                - pulumi up --yes

            """
    }

    private var image: String {
        switch runtime {
        case .nodejs: "pulumi/pulumi-nodejs:latest"
        case .python: "pulumi/pulumi-python:latest"
        case .go: "pulumi/pulumi-go:latest"
        case .dotnet: "pulumi/pulumi-dotnet:latest"
        case .java: "pulumi/pulumi-java:latest"
        case .yaml: "pulumi/pulumi-base:latest"
        }
    }

    private var installCommands: [String] {
        switch runtime {
        case .nodejs: ["npm install"]
        case .python: ["pip install -r requirements.txt"]
        case .go, .dotnet, .java, .yaml: []
        }
    }

    /// Lines with their indentation, each with its end.
    private static func indented(_ lines: [String], by spaces: Int) -> String {
        lines.map { "\(String(repeating: " ", count: spaces))\($0)\n" }.joined()
    }
}
