#!/usr/bin/env bash
# The project's own rules, one grep with a message each. Scripts/lint-test.sh proves that each one catches its sample.
#
#   Scripts/lint.sh [FOLDER]     FOLDER holds Sources/ and Tests/; the repository when none is given
#
# Greps of code see neither comments nor the contents of strings (swift-text.py). Generated files are exempt. Where the
# rules `effects` and `print` do not fit, the line above says so: `// lint: effects because …`.
# shellcheck disable=SC2016  # patterns and messages hold literal $ and `
set -euo pipefail

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "${1:-$HERE/..}"

# The module that may import each C target; nobody else may.
declare -A OWNER=(
    [CBeast]=HTTPServer [CCurl]=Transfers [CSQLite]=PersistenceSQLite [CMariaDB]=PersistenceMySQL
    [COpenSSL]=Crypto [CJose]=Crypto [CLasso]=SAML [CLassoSystem]=CLasso [CScan]=JSONScan
    [CThread]=Kernel [CDeflate]=Compression [CISAL]=Compression [CZlib]=Compression [CZstd]=Compression [CYAML]=YAML
    [CConsoleAssets]=Console
)
CAPABILITIES='Identity|Organizations|Stacks|Environments|Deployments|Policies|Insights|Registry|Integrations|Webhooks|Assistants'

# Where the rules for shipped code do not hold: helpers of tests are never part of `cairn`.
TEST_HELPERS='^Sources/(TestKit|NoiseTestKit|ServiceTestKit|APITestKit)/'
LIVE_EFFECTS='^Sources/(Server/([^:]*/)?LiveEffects\.swift|TestKit/|APITestKit/):?'
REQUEST_TASKS='^Sources/HTTPServer/RequestTasks\.swift:'
# Around Mutex, and public so that it costs what Mutex does.
LOCK='^Sources/Kernel/Threads/Locked\.swift:'
# Public so that a release has none of its calls.
FAILPOINT='^Sources/Kernel/Failpoints/Failpoint\.swift:'

WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT
find Sources Tests -name '*.swift' -not -path 'Sources/Contract/Generated/*' 2>/dev/null | sort >"$WORK/files"
grep '^Sources/' "$WORK/files" >"$WORK/shipped" || true
xargs -r -d '\n' python3 "$HERE/swift-text.py" code <"$WORK/files" >"$WORK/all"
grep '^Sources/' "$WORK/all" >"$WORK/code" || true

# report NAME MESSAGE: each line of standard input, FILE:LINE:…, breaks the rule.
report() {
    local name=$1 message=$2 file line
    while IFS=: read -r file line _; do
        if [[ $name =~ ^(effects|print)$ && $line -gt 1 ]] &&
            sed -n "$((line - 1))p" "$file" | grep -q "^ *// lint: $name because "; then
            continue
        fi
        printf '%s:%s: [%s] %s\n' "$file" "$line" "$name" "$message" >>"$WORK/found"
    done
}

# code NAME PATTERN MESSAGE [EXCEPT]: no line of Sources has PATTERN, but for files that match EXCEPT.
code() { grep -P "^[^:]+:[0-9]+:.*($2)" "$WORK/code" | grep -vP "${4:-^$}" | report "$1" "$3" || true; }

# everywhere NAME PATTERN MESSAGE [EXCEPT]: the same for Sources and Tests.
everywhere() { grep -P "^[^:]+:[0-9]+:.*($2)" "$WORK/all" | grep -vP "${4:-^$}" | report "$1" "$3" || true; }

IMPORT='^[^:]+:[0-9]+:\s*(@\w+(\([^)]*\))?\s+)*((package|public|internal|fileprivate|private)\s+)?import\s+((struct|class|enum|protocol|func|var|let|typealias)\s+)?'

# MARK: what may be imported

for target in "${!OWNER[@]}"; do
    grep -P "$IMPORT$target\b" "$WORK/all" | grep -vP "^(Sources/${OWNER[$target]}|Tests/${OWNER[$target]}Tests)/" |
        report c-target "$target belongs to ${OWNER[$target]}; ask that module instead" || true
done
grep -P "$IMPORT(Foundation|FoundationNetworking|FoundationXML)\b" "$WORK/code" | grep -vP "$TEST_HELPERS" |
    report foundation 'shipped code imports FoundationEssentials at most: the full Foundation makes the binary four times as large' || true
grep -P "^Sources/($CAPABILITIES)/" "$WORK/code" | grep -P "$IMPORT($CAPABILITIES)\b" |
    grep -vP '^Sources/(\w+)/.*import\s+\1\b' |
    report capability 'a capability imports no other capability: declare a port, or react to a domain event' || true
everywhere testable '@testable' 'tests see package declarations; @testable is not needed'
code public '(?<![.\w])(public|open)\s+((final|static|override|indirect)\s+)*(struct|class|enum|actor|protocol|extension|func|var|let|init|subscript|typealias|import)\b' \
    'nothing here is a library: use package, internal or private' "$LOCK|$FAILPOINT"

# MARK: what may be called

code regex '\bNSRegularExpression\b|\bRegex\s*[<({]|\btry\s+Regex\b' 'no regular expressions on input: their time is not bounded; write a small parser'
code effects '\bDate\(\)|\bDate\.now\b|\bTimestamp\.now\b|\bUUID\(\)|\.random\b\s*\(|\bSystemRandomNumberGenerator\b|\.(randomElement|shuffled?)\(' \
    'time, ids and randomness come from Effects' "$LIVE_EFFECTS"
code task '\bTask(<[^>]*>)?(\([^)]*\))?\s*\{|\bTask(<[^>]*>)?\.(detached|immediate)|\bTask(<[^>]*>)?\([^)]*$' \
    'no unstructured tasks: a Service, or a bounded task group' "$REQUEST_TASKS"
code print '(?<![.\w])(print|debugPrint|dump)\(' 'write through the Logger, or through the output of the command'
everywhere try-bang '\btry!' 'throw, or test the reason why it cannot fail'
everywhere mutex '\bMutex\s*[<(]' 'use Locked of Kernel: the thread sanitizer does not see the lock of a Mutex' "$LOCK"
everywhere as-bang '\bas!' 'use as? and handle the other case'
code sql-unchecked '\bSQL\(unchecked:|\bSQL\(stringLiteral:' 'SQL text comes from literals; values are interpolated' '^Sources/Persistence/'

# MARK: what tests must be able to break

grep -vP "$TEST_HELPERS" "$WORK/shipped" | xargs -r -d '\n' python3 "$HERE/failpoints.py" |
    report failpoint 'every durable step has a Failpoint within six lines, and every case is reached at one place' || true

# MARK: what must be explained

# Comments count here, so these read the files themselves.
while read -r file; do
    awk -v file="$file" '
        /^[[:space:]]*\/\// {
            if ($0 ~ /SAFETY:/) safety = NR
            if (NR == comment_end + 1) { comment_end = NR } else { comment_start = NR; comment_end = NR }
            next
        }
        /@unchecked Sendable|nonisolated\(unsafe\)|@preconcurrency import/ {
            near = safety && NR - safety <= 3
            above = safety && safety >= comment_start && comment_end >= NR - 3
            if (!near && !above && $0 !~ /SAFETY:/) print file ":" NR ":"
        }' "$file"
done <"$WORK/shipped" | report unsafe 'say in a comment "// SAFETY: …" which lock, queue or thread protects it'

xargs -r -d '\n' grep -nPH '\b(TODO|FIXME|XXX)\b(?!\(#\d+\))' <"$WORK/files" |
    report todo 'give it an issue number, TODO(#12), or do it now' || true

xargs -r -d '\n' wc -l <"$WORK/files" | awk '$2 != "total" && $1 > 400 { print $1, $2 }' |
    while read -r lines file; do
        if ((lines > 600)) && ! grep -q '^// lint: long because it is a list' "$file"; then
            echo "$file:$lines:" | report file-length 'only a list has more than 600 lines: split the file'
        elif ! grep -q '^// lint: long because ' "$file"; then
            echo "$file:$lines:" | report file-length 'more than 400 lines need "// lint: long because …": split the file, or say why not'
        fi
    done
xargs -r -d '\n' python3 "$HERE/swift-text.py" functions 60 <"$WORK/files" |
    report function-length 'a function body has at most 60 lines: name its parts'

# MARK: C and C++

if [[ -d Sources/C ]] && command -v clang-format >/dev/null; then
    find Sources/C -name '*.h' -o -name '*.c' -o -name '*.cpp' | sort |
        xargs -r -d '\n' clang-format --dry-run 2>&1 | grep -P '^[^ ].*warning: code should be clang-formatted' |
        sort -u -t: -k1,1 | report clang-format 'not formatted: run ./dev format' || true
fi

if [[ -s $WORK/found ]]; then
    sort -t: -k1,1 -k2,2n "$WORK/found"
    echo "$(wc -l <"$WORK/found") finding(s)" >&2
    exit 1
fi
