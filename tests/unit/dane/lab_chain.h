// SPDX-License-Identifier: Apache-2.0
// A small chain of EC P-256 certificates, made once by `openssl ca` with fixed dates, so that a test moves
// its clock instead of making certificates.
#pragma once

#include "base/crypto/certificate.h"

#include <stdexcept>

namespace mailtight::tests::lab_chain {
/// Lab Root, 2026 to 2036.
inline constexpr std::string_view root_pem = R"(-----BEGIN CERTIFICATE-----
MIIBdDCCARqgAwIBAgICEAAwCgYIKoZIzj0EAwIwITERMA8GA1UEAwwITGFiIFJv
b3QxDDAKBgNVBAoMA0xhYjAeFw0yNjAxMDEwMDAwMDBaFw0zNjAxMDEwMDAwMDBa
MCExETAPBgNVBAMMCExhYiBSb290MQwwCgYDVQQKDANMYWIwWTATBgcqhkjOPQIB
BggqhkjOPQMBBwNCAAQD3KD27vmjhA/68aVGImt7FWNPrKdS85KI/51sV1ianjsh
ws7S/0ciNQ5tj+JF/yU2xmyzS3Njv720MqTZIi7Ro0IwQDAPBgNVHRMBAf8EBTAD
AQH/MA4GA1UdDwEB/wQEAwICBDAdBgNVHQ4EFgQUy4h4tNu4w57j1GBftXgRNw/C
Gg4wCgYIKoZIzj0EAwIDSAAwRQIhAK8beA+np9NwbFTZW/mtzxcEzcGKs6qFi0jZ
J60f/FNjAiAThNieub5kDYqLoE68cZMl6k0MT/O4o8yPPHC30AC8Mw==
-----END CERTIFICATE-----
)";
/// Lab Intermediate, signed by the root, 2026 to 2028.
inline constexpr std::string_view inter_pem = R"(-----BEGIN CERTIFICATE-----
MIIBnTCCAUOgAwIBAgICEAIwCgYIKoZIzj0EAwIwITERMA8GA1UEAwwITGFiIFJv
b3QxDDAKBgNVBAoMA0xhYjAeFw0yNjAxMDEwMDAwMDBaFw0yODAxMDEwMDAwMDBa
MCkxGTAXBgNVBAMMEExhYiBJbnRlcm1lZGlhdGUxDDAKBgNVBAoMA0xhYjBZMBMG
ByqGSM49AgEGCCqGSM49AwEHA0IABEXx0DkVKBV7fjuFGoPFYzG08VOZ7y1CryS9
WfwFinvM3w9RyiZuy3aGadBlXwfj+IH8J3iQsPdNiQn7ayP0/BijYzBhMA8GA1Ud
EwEB/wQFMAMBAf8wDgYDVR0PAQH/BAQDAgIEMB0GA1UdDgQWBBSobfiGQsb7iXAd
cQ1FcTOERLQfoDAfBgNVHSMEGDAWgBTLiHi027jDnuPUYF+1eBE3D8IaDjAKBggq
hkjOPQQDAgNIADBFAiB7vJptb2yxCc1+0JGm28DWxHZ/Z1BOjQY3/1/DGqSVxAIh
AOb/azbyr6R21wEwr1ppG44Wn9jg94OQxJbO2aFNUvGo
-----END CERTIFICATE-----
)";
/// mx1.example.com, signed by the intermediate, 2026 to 2029.
inline constexpr std::string_view leaf_pem = R"(-----BEGIN CERTIFICATE-----
MIIBkjCCATegAwIBAgICEAMwCgYIKoZIzj0EAwIwKTEZMBcGA1UEAwwQTGFiIElu
dGVybWVkaWF0ZTEMMAoGA1UECgwDTGFiMB4XDTI2MDEwMTAwMDAwMFoXDTI5MDEw
MTAwMDAwMFowGjEYMBYGA1UEAwwPbXgxLmV4YW1wbGUuY29tMFkwEwYHKoZIzj0C
AQYIKoZIzj0DAQcDQgAECmWiq5DicHKf1UuvP5zvBziR1HiiZDHWKkzny1xFHB3/
7IHl4Y0JWlGbleU7pt5JNBsaxFye4lYZFJe42XKN/aNeMFwwGgYDVR0RBBMwEYIP
bXgxLmV4YW1wbGUuY29tMB0GA1UdDgQWBBQB6VaOHNl6Kpwdt9bC4x3JKi9ixDAf
BgNVHSMEGDAWgBSobfiGQsb7iXAdcQ1FcTOERLQfoDAKBggqhkjOPQQDAgNJADBG
AiEA+8OAD1Kzprwszs6VyEkqltwi0WmWccBW0L28h4Rpkc8CIQDEDHWTDtWcUYlK
9ODPxt0ECfZ1Wqw9sRnjKgucte0SwQ==
-----END CERTIFICATE-----
)";
/// the same name as common name only.
inline constexpr std::string_view leafcn_pem = R"(-----BEGIN CERTIFICATE-----
MIIBgDCCASagAwIBAgICEAQwCgYIKoZIzj0EAwIwKTEZMBcGA1UEAwwQTGFiIElu
dGVybWVkaWF0ZTEMMAoGA1UECgwDTGFiMB4XDTI2MDEwMTAwMDAwMFoXDTI5MDEw
MTAwMDAwMFowGjEYMBYGA1UEAwwPbXgxLmV4YW1wbGUuY29tMFkwEwYHKoZIzj0C
AQYIKoZIzj0DAQcDQgAEHhgDUBl5DzifZevWYmuOqtGSScPZmXru4JJLflmTRdG/
64WQ0ibyuzS+FYhtfC7qMWUdGsBLCAQfhXDaWNgEqKNNMEswCQYDVR0TBAIwADAd
BgNVHQ4EFgQUJXGaIr+oagaksJtScv/zd2BHUMUwHwYDVR0jBBgwFoAUqG34hkLG
+4lwHXENRXEzhES0H6AwCgYIKoZIzj0EAwIDSAAwRQIhAMt6jPZGnLqvxP9uvWmu
vbYh/xkUypKlIDsfiI3dGw5oAiBcX/NW+wuZL8mvH8gyiZ/ojA4BvMpKtRA9WDHj
seFtyQ==
-----END CERTIFICATE-----
)";
/// *.example.com.
inline constexpr std::string_view wild_pem = R"(-----BEGIN CERTIFICATE-----
MIIBhzCCAS2gAwIBAgICEAUwCgYIKoZIzj0EAwIwKTEZMBcGA1UEAwwQTGFiIElu
dGVybWVkaWF0ZTEMMAoGA1UECgwDTGFiMB4XDTI2MDEwMTAwMDAwMFoXDTI5MDEw
MTAwMDAwMFowEjEQMA4GA1UEAwwHbXgudGVzdDBZMBMGByqGSM49AgEGCCqGSM49
AwEHA0IABFZiWriNSPvV1ZCF0iSXr0244Jd40zbQG6WWV6zwN5CjhWx3c8PmHH9a
0NX5Yl+8CKuEOqSo7kKPZWyUewhWu2mjXDBaMBgGA1UdEQQRMA+CDSouZXhhbXBs
ZS5jb20wHQYDVR0OBBYEFARThUW2aiCHu8UuIQ1ihyrTXpZ0MB8GA1UdIwQYMBaA
FKht+IZCxvuJcB1xDUVxM4REtB+gMAoGCCqGSM49BAMCA0gAMEUCIQCrMV5huCYk
2aHYlA5DibFTeiv32Qc6Q9oxV9mqlpHS5gIgBg6fVPz9C6t06jb7XItWZs8twKFa
fpf6NRjrKaJV+G4=
-----END CERTIFICATE-----
)";
/// mx1.example.com, signed by itself, no authority.
inline constexpr std::string_view self_pem = R"(-----BEGIN CERTIFICATE-----
MIIBYTCCAQegAwIBAgICEAYwCgYIKoZIzj0EAwIwGjEYMBYGA1UEAwwPbXgxLmV4
YW1wbGUuY29tMB4XDTI2MDEwMTAwMDAwMFoXDTI5MDEwMTAwMDAwMFowGjEYMBYG
A1UEAwwPbXgxLmV4YW1wbGUuY29tMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE
Y8h7oNbsTZX3ukYv1IjTsAlrbklgVxRPMbtw+33Z3/wTNwmfHlqjOeby6sYSqS7D
aUpC92ctmBAcl44nDTx0f6M9MDswGgYDVR0RBBMwEYIPbXgxLmV4YW1wbGUuY29t
MB0GA1UdDgQWBBT9IvuqatbeJ0WNUNNMhhwlOgQPdzAKBggqhkjOPQQDAgNIADBF
AiEAgenYO1jiufrA+NfMz0LYqpNkPqWB52rgJHE6+MMFtSsCIG/ZSEYGXJ8AcWlk
3bWCh3g/amZ/2F+kykuxqAU/M8ek
-----END CERTIFICATE-----
)";
/// a root that signed nothing here.
inline constexpr std::string_view other_pem = R"(-----BEGIN CERTIFICATE-----
MIIBXDCCAQKgAwIBAgICEAEwCgYIKoZIzj0EAwIwFTETMBEGA1UEAwwKT3RoZXIg
Um9vdDAeFw0yNjAxMDEwMDAwMDBaFw0zNjAxMDEwMDAwMDBaMBUxEzARBgNVBAMM
Ck90aGVyIFJvb3QwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAAShqezb885//TTl
aEjF9ypYr7MW320lNWHV60qK1ZW8Zt9vn3l4NRbgI+ctVaE80huJdBIE5U7sR6EL
Jau+HN+vo0IwQDAPBgNVHRMBAf8EBTADAQH/MA4GA1UdDwEB/wQEAwICBDAdBgNV
HQ4EFgQUe8BFQXOM122BdcD1wjIzoMv8quUwCgYIKoZIzj0EAwIDSAAwRQIhALF3
gZu4R0cznu3wlzMlun5qo19TgCQHAbCly0qUIKKMAiAUArZyhHVgXMnFJRz7q2Mh
uh/wUj6vCSfPuztyj4clfQ==
-----END CERTIFICATE-----
)";

inline base::certificate read(std::string_view pem) {
    auto certs = base::parse_pem_chain(pem);
    if (!certs || certs->size() != 1)
        throw std::logic_error("the fixture is no certificate");
    return certs->front();
}
inline const base::certificate root = read(root_pem);
inline const base::certificate inter = read(inter_pem);
inline const base::certificate leaf = read(leaf_pem);
inline const base::certificate leaf_cn_only = read(leafcn_pem);
inline const base::certificate wild = read(wild_pem);
inline const base::certificate self_signed = read(self_pem);
inline const base::certificate other_root = read(other_pem);

} // namespace mailtight::tests::lab_chain
