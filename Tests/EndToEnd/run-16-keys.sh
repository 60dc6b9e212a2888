#!/usr/bin/env bash
# Master keys that another service holds; keys.py has the tests. The service that plays Azure Key Vault in them is driven
# with the vendor's own libraries first.
source "$(dirname "$0")/../../Scripts/e2e.sh"
export E2E_FOLDER
python=$(python_with 'azure-keyvault-keys==4.*' 'azure-identity==1.*')
"$python" "$(dirname "$0")/../Counterparts/check_azure_vault.py"
python3 "$(dirname "$0")/keys.py"
