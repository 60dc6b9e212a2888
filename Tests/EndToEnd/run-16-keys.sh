#!/usr/bin/env bash
# Master keys that another service holds; keys.py has the tests. The services that play Azure Key Vault, Cloud KMS and
# Vault in them are driven with the vendors' own libraries first, and hvac.
source "$(dirname "$0")/../../Scripts/e2e.sh"
export E2E_FOLDER
python=$(python_with 'azure-keyvault-keys==4.*' 'azure-identity==1.*' 'google-cloud-kms==3.*' 'requests==2.*' 'hvac==2.*')
"$python" "$(dirname "$0")/../Counterparts/check_azure_vault.py"
"$python" "$(dirname "$0")/../Counterparts/check_google_kms.py"
"$python" "$(dirname "$0")/../Counterparts/check_vault.py"
python3 "$(dirname "$0")/keys.py"
