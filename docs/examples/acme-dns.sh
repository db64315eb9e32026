#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A hook for challenges of names that are aliases into an acme-dns server, in the convention of lego's exec provider:
#   hook = ["/etc/mailtight/acme-dns.sh"]     hook-convention = "lego"
# The accounts, one a line, in a file that only mailtight may read:
#   _acme-challenge.mta-sts.example.com. https://auth.example.net SUBDOMAIN USER KEY
set -eu
accounts=${ACME_DNS_ACCOUNTS:-/etc/mailtight/acme-dns.accounts}
case $1 in
present) ;;
cleanup) exit 0 ;; # acme-dns keeps the last two values by itself
*) exit 2 ;;
esac
while read -r name url subdomain user key; do
    [ "$name" = "$2" ] || continue
    # By standard input, since every user of the machine sees the arguments of a program.
    exec curl --silent --show-error --fail --max-time 30 --output /dev/null --config - <<END
url = "$url/update"
header = "X-Api-User: $user"
header = "X-Api-Key: $key"
data = "{\"subdomain\": \"$subdomain\", \"txt\": \"$3\"}"
END
done <"$accounts"
echo "$accounts has no account for $2" >&2
exit 1
