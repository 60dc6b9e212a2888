#!/usr/bin/env bash
# The audit log in a table of DynamoDB, as moto plays it, read with the vendor's own library; audit.py has the tests.
source "$(dirname "$0")/../../Scripts/e2e.sh"
export E2E_FOLDER
python=$(python_with 'boto3==1.*')
"$python" "$(dirname "$0")/audit.py"
