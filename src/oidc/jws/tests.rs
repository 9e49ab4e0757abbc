use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair,
    KeyPair as _,
};

use super::*;

const ALL: [Algorithm; 9] = [
    Algorithm::Rs256,
    Algorithm::Rs384,
    Algorithm::Rs512,
    Algorithm::Ps256,
    Algorithm::Ps384,
    Algorithm::Ps512,
    Algorithm::Es256,
    Algorithm::Es384,
    Algorithm::EdDsa,
];

/// What is signed below, by OpenSSL.
const MESSAGE: &[u8] = b"a.b";
const MODULUS: &str = "hhLvQLR56pZ3O0P9DCZahIm0/D0qCLkVQx+VEXwpGq/rABEQmUtfaV98QggDJoKjnhouk4OFpX4+5/2tAo59\
        Rimc+m2n6891bc2FuxrwAYaZ/jD3wdwNIvHahty9Gd6ta5glMHXIPIdOMQXe6FLXbF17wzCo7m2j1+Ww1G+l\
        BUH6C50UkEILc5e5bTw/EiZ/YRbP4FMUF/KepL4wwMU2xkLCBkUiOMf3Ev7ZIoink7LYrUmFN2MDPiJjf6xl\
        R29volVbkHJd8pQgYNeP014bhzg7+oRgWdZUDjtEKC2tQzIoaw6L2swYtW034bbQDHsZ/b85V0MtR3203Glw\
        FLEuMQ==";
const SIGNED: [(Algorithm, &str); 6] = [
    (
        Algorithm::Rs256,
        "DX4EcSsb4NqI9t6YGUODpSsjfANzia2QuzdsUwwXWlfj/WQvS8KTvg/pPXoeVuZ1EsznA2msuD8YfLwFboXb\
        hjhVuTp6B0rMYg+iczvBboagZxuFis0UUSkEb+56bz6KGylnSZxdI/j17nwWTiNi3csIYYtKgtqztp7yPum5\
        s/rFhEAsD2ckiEpxvy1iyPvH876/YoWc4jF6SVNDvkyUGVnXxbkDpJJH0PO7bj8tRFGeO1jXHWrbxsDl/BOI\
        tLex56U1W1oMAllWlBiGzciMdpubztyEjFm+/VJedIC9mRcyWZEH8eCMxpoahKkMvgwo9oIraZ/W8gMJfDsF\
        qU+9qw==",
    ),
    (
        Algorithm::Ps256,
        "Wp8QDyftvP9tEKgdE69+OIXWbvcle/g0guzMPgmVMu5KQBC/p9o6evlU3xbvpYAl+XNBaEcMJ5jxv29MOwrM\
        Drcn3dojf4zGIbPzhmp7Y76R1n5dz3mXEmljf/t18hZvtw0+G9D5eNudfM31f0pckWjc0A25sEddEiWIZPte\
        C34o/fc2wkIfGnP+mXmWqATykOuhTCGO+yNOB9SVgqhVCI1yVDgdJi1e/zxCLJ7mbSMmoTlNnDcwapGCjK8q\
        RtkMRY/TtBkQBWE7Ag03HuEFRD9jSUxN2oi5rqgFtnzr03PFK/TpEf2M9LV6ugiGNvU8tDnaDjcyoJ0+cIVb\
        rccL5w==",
    ),
    (
        Algorithm::Rs384,
        "CCiGWCuKEU75lxVQlVPECqRc/SymSC+V8HZUl67vODDDZRAwJlhL3HjJ9Grld3ko9P59uctXwYnO+vvSRZAV\
        YyUT2rDqEYyWhEiABZTwgxzuIkTDcMEwYsMlibW+LcnqUcNkkS/Iu4+Rfo8pbp1orbwl//sCuBTobc/DRg0Z\
        wvm8zEnqV3juFsoj+zvTadizwftwIdhHXz71eI/fU5QN+iBE9VBxFFgY3D9Vkx58MNzeEOJv5AsQ263zMINX\
        VTHztUigs8zlb7vT2rsrcoVEXb0D2yQThnxhr99TgluOaujUYj6co73qFnrYbk2Kihx4nFSLOC0/qOPrzTAr\
        /oQzKA==",
    ),
    (
        Algorithm::Ps384,
        "cbttTef6whQKfwp8miNteWlvH/J71V4n0JGoF6MYuUQ7UIw9cGRIa/gDfCvvMgpfN98hYB+dSWUihBTEQx2B\
        RlJCMokeigcO+ZcqJ3E175JQWE+/sWKZapc59ZJkwMtsRR7wzFGrjPRjo6M21ws4JqoIrVIaxD6RJnJHfdOj\
        f/Tae54UejCsyFZ2ua6YtNVpxFG9TM5ZfPWCKJ1iu70+1ovBETrnOCSa+grzpyg3YUpp0VbctiCoqF2qpT41\
        6ETi4V/Vw6+UmKUHiRnaCyq1DOM0wLwMzLkx6rV46b0ux+8t/JKLHw/NMfdF5MQZZbK2anoxtlW09Z8Kq8Tg\
        XEQF2w==",
    ),
    (
        Algorithm::Rs512,
        "YySGNPctDW8aDPVOjLSKrrNagsWkNAFKv9bZ6Pgt6zU8XVHsoC9Nj5AvhWzQAPLFk/6gFYhv8yPHXPXkJM4h\
        +viz7Bf/CQ2ou/RQd1A1iAXcYwDGJ8JyYyUetx9ZXANCYfKUwf+likUJNHTpkMO/YukFvxzaBYji1yZTTL90\
        RgcXU8wLmfc3hV9uoKxu/qzA7aO6RqnYqSnrD1ZXNGyL70OtF/xyCQAaKvw1Z9Lkbr4cftcVQULUqymItf2J\
        +mjVPiP0oXLGN083Sk3va9vcF+0eLOmCRJa8BeLMcJKvLosG2ob2LllWgyIXGmlPfB8L6C7gK6RS1xHZP1qb\
        YHDmiQ==",
    ),
    (
        Algorithm::Ps512,
        "ObU9yyQiPFJzSsaHn+v9LwDqeaQp/NHgt6kagMnVArQcaT94556HHnhrTdvHvfZSTLxUpOXiRwK4Asz0Rcmm\
        pTqZNOKleI4kPYhwhxCPayGozSj4LN55BJx+YrE6SY99w+apBPdgRMVmET9qOVBUn8OSqLUdOvLfFMNS2YhC\
        ZtlfbKN4GRIhHEQom1JG/fLI7WW+PvPbzmmZIa3Kg+UmRmplJNpEyDr9Zc5cyKOJC+VRo1mn0xV68UEuocTj\
        DFnT6UhlWZtVEEh4ApG89c3rw1GkAwT46xsnvbtuaidpsGCuywAR3BRcoqU5/5gJzyui9oruZYJXgX+o5LFW\
        mNJMmA==",
    ),
];
/// The modulus of a key of 1024 bits, and what it signed with RS256.
const SHORT: [&str; 2] = [
    "x4gHSf1sUDvAvVw6d2IoWWRd/wqWWtY5grrIZcNLgsdNjRQql9Y4W+WrsrXI115jDLMaM2XNCOqgGNV7fYyi\
        oqKpq0IHokvXEuL+34a4Z9UlN78oXt0wDHoZmdp1FDa6cU/Yh9K0WMJobBf6kec0QyINsoO5oUYQZEeVSWoJ\
        BRU=",
    "RmSr5b9jbKXbF6dw/Gfx3lotTLeLOfvBxVxxwmDlauZi3CG0HgZ1Sx1amFZLvdKtKSbcinNOVds+G30dlkUu\
        1RK6QTWjXNsa+zaeJeAFXdrkJ7HbgzIw6nonXXmvYcJFyH1U+qZg2J8kb6FW/zo5U8Hqa76GRtwjZ4gszPPt\
        7TI=",
];

fn bytes(text: &str) -> Vec<u8> {
    STANDARD.decode(text).unwrap()
}

fn rsa(modulus: &str) -> Public {
    Public::Rsa {
        n: bytes(modulus),
        e: vec![1, 0, 1],
    }
}

/// That `key` signed the message with this alone.
fn check(key: &Public, algorithm: Algorithm, signature: &[u8]) {
    for tried in ALL {
        let is_it = tried == algorithm;
        assert_eq!(key.signed(tried, MESSAGE, signature), is_it, "{tried:?}");
    }
    assert!(key.fits(algorithm));
    assert!(!key.signed(algorithm, b"a.c", signature));
    assert!(!key.signed(algorithm, MESSAGE, b""));
    let mut other = signature.to_vec();
    other[7] ^= 1;
    assert!(!key.signed(algorithm, MESSAGE, &other));
    other[7] ^= 1;
    other.push(0);
    assert!(!key.signed(algorithm, MESSAGE, &other));
}

#[test]
fn what_rsa_signed_is_known_by_the_right_algorithm_alone() {
    let key = rsa(MODULUS);
    for (algorithm, signature) in SIGNED {
        check(&key, algorithm, &bytes(signature));
    }
    let [modulus, signature] = SHORT;
    assert!(!rsa(modulus).signed(Algorithm::Rs256, MESSAGE, &bytes(signature)));
}

#[test]
fn what_a_curve_signed_is_known_by_the_right_algorithm_alone() {
    let random = SystemRandom::new();
    let ecdsa = |kind| {
        let document = EcdsaKeyPair::generate_pkcs8(kind, &random).unwrap();
        EcdsaKeyPair::from_pkcs8(kind, document.as_ref(), &random).unwrap()
    };
    let key = ecdsa(&ECDSA_P256_SHA256_FIXED_SIGNING);
    let signature = key.sign(&random, MESSAGE).unwrap();
    let public = Public::P256(key.public_key().as_ref().to_vec());
    check(&public, Algorithm::Es256, signature.as_ref());
    // (0, 0) was good for anything once (CVE-2022-21449).
    assert!(!public.signed(Algorithm::Es256, MESSAGE, &[0; 64]));
    let key = ecdsa(&ECDSA_P384_SHA384_FIXED_SIGNING);
    let signature = key.sign(&random, MESSAGE).unwrap();
    let public = Public::P384(key.public_key().as_ref().to_vec());
    check(&public, Algorithm::Es384, signature.as_ref());
    let document = Ed25519KeyPair::generate_pkcs8(&random).unwrap();
    let key = Ed25519KeyPair::from_pkcs8(document.as_ref()).unwrap();
    let public = Public::Ed25519(key.public_key().as_ref().to_vec());
    check(&public, Algorithm::EdDsa, key.sign(MESSAGE).as_ref());
}

#[test]
fn what_is_no_key_signed_nothing() {
    for key in [
        Public::Rsa {
            n: vec![],
            e: vec![],
        },
        Public::P256(vec![4; 65]),
        Public::P256(vec![]),
        Public::P384(vec![0; 97]),
        Public::Ed25519(vec![0xff; 32]),
    ] {
        for algorithm in ALL {
            assert!(!key.signed(algorithm, MESSAGE, &[1; 256]), "{key:?}");
        }
    }
}
