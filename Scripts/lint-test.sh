#!/usr/bin/env bash
# The test of Scripts/lint.sh: one sample per rule that it must catch, and samples that it must leave alone.
# shellcheck disable=SC2016  # samples hold literal $ and `
set -euo pipefail

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT
CASES=0

# All samples become files of one repository, numbered, so that lint runs once.
sample() {
    CASES=$((CASES + 1))
    SAMPLE=${1/A.swift/A$CASES.swift}
    SAMPLE=${SAMPLE/a.cpp/a$CASES.cpp}
    mkdir -p "$WORK/repository/$(dirname "$SAMPLE")"
    cat >"$WORK/repository/$SAMPLE"
}

# caught RULE PATH [LINE]: standard input breaks the rule in this line (1 unless given), and breaks nothing else.
caught() {
    sample "$2"
    echo "$SAMPLE:${3:-1}: [$1]" >>"$WORK/expected"
}

# clean PATH: standard input breaks no rule.
clean() { sample "$1"; }

lines() { yes 'let a = 1' | head -n "$1" || true; }

# MARK: what may be imported

caught c-target Sources/Stacks/A.swift <<<'import CSQLite'
caught c-target Sources/Stacks/A.swift <<<'package import COpenSSL'
caught c-target Tests/StacksTests/A.swift <<<'@preconcurrency import CBeast'
clean Sources/PersistenceSQLite/A.swift <<<'import CSQLite'
clean Tests/PersistenceSQLiteTests/A.swift <<<'internal import CSQLite'
caught foundation Sources/Kernel/A.swift <<<'import Foundation'
caught foundation Sources/Kernel/A.swift <<<'private import FoundationNetworking'
caught foundation Sources/Kernel/A.swift <<<'import struct Foundation.Date'
clean Sources/Kernel/A.swift <<<'package import FoundationEssentials'
clean Sources/APITestKit/A.swift <<<'import Foundation'
clean Tests/KernelTests/A.swift <<<'import Foundation'
caught capability Sources/Stacks/A.swift <<<'import Identity'
caught capability Sources/Webhooks/Deliveries/A.swift <<<'package import Stacks'
clean Sources/Server/Wiring/A.swift <<<'import Identity'
caught testable Tests/KernelTests/A.swift <<<'@testable import Kernel'
caught public Sources/Kernel/A.swift <<<'public struct A {}'
caught public Sources/Kernel/A.swift <<<'    @inlinable public func a() {}'

# MARK: what may be called

caught regex Sources/Kernel/A.swift <<<'let a = try Regex("x")'
caught regex Sources/Kernel/A.swift <<<'let a = NSRegularExpression()'
caught effects Sources/Stacks/A.swift <<<'let a = Date()'
caught effects Sources/Stacks/A.swift <<<'let a = UUID()'
caught effects Sources/Stacks/A.swift <<<'let a = Int.random(in: 0..<3)'
caught effects Sources/Stacks/A.swift <<<'let a = names.randomElement()'
caught effects Sources/Server/A.swift <<<'let a = Date.now'
clean Sources/Server/LiveEffects.swift <<<'let a = Date()'
clean Sources/Server/Wiring/LiveEffects.swift <<<'let a = Date()'
clean Sources/Stacks/A.swift <<<'let a = effects.randomBytes(16)'
clean Sources/Stacks/A.swift <<'SWIFT'
// lint: effects because nothing depends on it.
let a = Int.random(in: 0..<3)
SWIFT
caught regex Sources/Stacks/A.swift 2 <<'SWIFT'
// lint: regex because this rule takes no excuse
let a = try Regex("x")
SWIFT
caught task Sources/Stacks/A.swift <<<'Task { await a() }'
caught task Sources/Stacks/A.swift <<<'let t = Task(priority: .low) { 1 }'
caught task Sources/Stacks/A.swift <<<'let t = Task<Void, Never> { }'
caught task Sources/Stacks/A.swift <<<'Task.detached { await a() }'
caught task Sources/HTTPServer/Server.swift <<<'Task { await a() }'
clean Sources/HTTPServer/RequestTasks.swift <<<'Task { await a() }'
clean Sources/Stacks/A.swift <<<'let t: Task<Void, Never>? = nil; try Task.checkCancellation()'
caught print Sources/Stacks/A.swift <<<'print("a")'
clean Sources/Stacks/A.swift <<<'a.print("a"); blueprint(1)'
caught try-bang Sources/Stacks/A.swift <<<'let a = try! b()'
caught try-bang Tests/StacksTests/A.swift <<<'let a = try! b()'
caught mutex Sources/Stacks/A.swift <<<'let a = Mutex(0)'
caught mutex Tests/StacksTests/A.swift <<<'private let a: Mutex<Int>'
clean Sources/Kernel/Threads/Locked.swift < <(echo 'public struct Locked {}' && echo 'let mutex: Mutex<Value>')
caught as-bang Sources/Stacks/A.swift <<<'let a = b as! C'
caught sql-unchecked Sources/Stacks/A.swift <<<'let a = SQL(unchecked: b)'
caught sql-unchecked Sources/Stacks/A.swift <<<'let a = SQL(stringLiteral: b)'
clean Sources/Persistence/A.swift <<<'let a = SQL(unchecked: b)'

# MARK: what tests must be able to break

caught failpoint Sources/PersistenceSQLite/A.swift <<<'guard fsync(file) == 0 else { return }'
caught failpoint Sources/ObjectStorage/A.swift <<<'renameat(temporary, name, folder, name)'
caught failpoint Sources/ObjectStorage/A.swift <<<'try folder.sync()'
caught failpoint Sources/Encryption/A.swift <<<'guard link(temporary, path) == 0 else { return }'
caught failpoint Sources/PersistenceMySQL/A.swift <<<'guard run("COMMIT") else { return }'
caught failpoint Sources/Stacks/A.swift <<<'let key = try await objects.put(bytes, of: stack)'
caught failpoint Sources/Stacks/A.swift <<<'try await objects.delete(keys)'
caught failpoint Sources/AuditArchive/A.swift <<<'let count = try await table.write(batch)'
caught failpoint Sources/Stacks/A.swift 1 < <(echo 'try await objects.delete(keys)' && lines 7 && echo 'try Failpoint.reach(.aDeleted)')
clean Sources/Stacks/A.swift < <(echo 'try Failpoint.reach(.bDelete)' && lines 5 && echo 'try await objects.delete(keys)')
clean Sources/Stacks/A.swift < <(echo '// lint: failpoint because it is not durable.' && echo 'try folder.sync()')
clean Sources/Stacks/A.swift < <(echo '/// Calls fsync(file).' && echo 'func rename(_ old: Name, to new: Name) {}' && echo 'try await renames.rename(a, to: b)')
# Fewer than 80 in the list of this repository, one of them at no place and one at two.
SAMPLE=Sources/Kernel/Failpoints/Failpoint.swift
printf '%s\n' 'enum Failpoint {' '    case bDelete' '    case cDelete, dDelete' '}' | sample "$SAMPLE"
printf '%s\n' "$SAMPLE:1: [failpoint]" "$SAMPLE:3: [failpoint]" "$SAMPLE:3: [failpoint]" >>"$WORK/expected"
clean Sources/Stacks/A.swift < <(echo 'try Failpoint.reach(.cDelete)' && echo 'meet(.cDelete)')

# MARK: what must be explained

caught unsafe Sources/HTTPServer/A.swift <<<'final class A: @unchecked Sendable {}'
caught unsafe Sources/HTTPServer/A.swift <<<'nonisolated(unsafe) var a = 1'
caught unsafe Sources/HTTPServer/A.swift <<<'@preconcurrency import Dispatch'
caught unsafe Sources/HTTPServer/A.swift 7 <<'SWIFT'
// SAFETY: this explains another declaration.
let a = 1

let b = 1
let c = 1
// One more.
final class A: @unchecked Sendable {}
SWIFT
clean Sources/HTTPServer/A.swift <<'SWIFT'
/// A session.
///
/// SAFETY: only the loop thread touches it.
///
/// It lives
/// long.
final class A: @unchecked Sendable {}
SWIFT
clean Sources/HTTPServer/A.swift <<'SWIFT'
// SAFETY: only the loop thread touches it.
@available(*, noasync)
nonisolated(unsafe) var a = 1
SWIFT
caught todo Sources/Stacks/A.swift <<<'// TODO: later'
caught todo Tests/StacksTests/A.swift <<<'// FIXME now'
clean Sources/Stacks/A.swift <<<'// TODO(#12): later'
caught file-length Sources/Stacks/A.swift 401 < <(lines 401)
caught file-length Tests/StacksTests/A.swift 601 < <(echo '// lint: long because it is a table.' && lines 600)
clean Sources/Stacks/A.swift < <(echo '// lint: long because it is a table.' && lines 599)
clean Sources/Stacks/A.swift < <(lines 400)
clean Sources/Stacks/A.swift < <(echo '// lint: long because it is a list, one line each.' && lines 700)
clean Sources/Contract/Generated/A.swift < <(lines 700)
caught function-length Sources/Stacks/A.swift < <(echo 'func a() {' && lines 61 && echo '}')
caught function-length Sources/Stacks/A.swift 2 < <(echo 'struct A {' && echo '    package init(' && echo '        a: Int) {' && lines 61 && echo '}' && echo '}')
clean Sources/Stacks/A.swift < <(echo 'func a() {' && lines 60 && echo '}')
clean Sources/Stacks/A.swift < <(echo 'protocol P {' && echo '    func a() -> Int' && echo '}' && echo 'struct A {' && lines 100 && echo '}')
clean Sources/Stacks/A.swift < <(echo 'protocol P {' && echo '    func a()' && echo '    var b: Int { get }' && lines 100 && echo '}')
clean Sources/Stacks/A.swift < <(echo 'struct A {' && lines 100 && echo '}')

# MARK: comments and strings are not code

clean Sources/Stacks/A.swift <<'SWIFT'
/* print("a") /* try! b() */ UUID() */
let a = "print( try! as! Date() \" UUID()"
let b = #"Task { "x" }"#
let c = """
    import Foundation
    public struct A {
    """
// No `as!`, no `try!`, no `print(`.
SWIFT
caught print Sources/Stacks/A.swift 3 <<'SWIFT'
let a = "\(b)" /* one
    two */
print("a")
SWIFT

# MARK: C and C++

if command -v clang-format >/dev/null; then
    caught clang-format Sources/C/CBeast/a.cpp <<<'int  a ( ) { return 1 ; }'
    clean Sources/C/CBeast/a.cpp <<<'int a() { return 1; }'
fi

# MARK: the comparison

"$HERE/lint.sh" "$WORK/repository" >"$WORK/found" 2>"$WORK/errors" || true
if [[ $(wc -l <"$WORK/errors") -ne 1 ]]; then
    echo "lint's own test: lint.sh itself failed:"
    cat "$WORK/errors"
    exit 1
fi
if ! diff <(sort "$WORK/expected") <(sed -E 's/(\[[a-z-]+\]).*/\1/' "$WORK/found" | sort); then
    echo "lint's own test failed: '<' must be caught and was not, '>' was caught and must not be"
    exit 1
fi
echo "lint's own test: $CASES samples passed"
