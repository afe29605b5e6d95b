#!/usr/bin/env python3
"""Makes tests/vectors/intel.json: quotes and collateral under a root of our own, for what no
published evidence shows (revoked certificates, revoked levels, old TDX modules, migratable
guests, relaunch). Same form as Intel's, signed by the openssl command with keys made here and
thrown away. Run it again only to add a case: signatures are random, so every blob changes.

usage: tests/vectors/make_intel.py > tests/vectors/intel.json"""
import base64
import hashlib
import json
import os
import struct
import subprocess
import sys
import tempfile

TMP = tempfile.mkdtemp()
BEGIN, END = "20250101000000Z", "20450101000000Z"
FMSPC, PCE_ID = bytes.fromhex("90c06f000000"), bytes.fromhex("0000")
QE_SIGNER = bytes.fromhex("dc9e2a7c6f948f17474e34a7fc43ed030f7c1563f1babddf6340c82e0e54a8c5")
AT = "2025-06-25T00:00:00Z"


def at(name):
    return os.path.join(TMP, name)


def openssl(*words, data=None):
    return subprocess.run(["openssl", *words], input=data, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True).stdout


def key_new(name):
    openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", at(name + ".key"))
    return name


def point(name):
    return openssl("ec", "-in", at(name + ".key"), "-pubout", "-outform", "DER")[-64:]


def sign(name, data):
    der = openssl("dgst", "-sha256", "-sign", at(name + ".key"), data=data)
    n = der[3]
    r, s = der[4:4 + n], der[6 + n:]
    return b"".join(int.from_bytes(v, "big").to_bytes(32, "big") for v in (r, s))


# ---- certificates ----

def tlv(tag, content):
    n = len(content)
    return bytes([tag]) + (bytes([n]) if n < 128 else bytes([0x81, n]) if n < 256 else bytes([0x82, n >> 8, n & 255])) + content


def integer(n, tag=2):
    return tlv(tag, n.to_bytes(n.bit_length() // 8 + 1, "big"))


def pck_extension(svn, pce_svn):
    oid = bytes.fromhex("2a864886f84d010d01")

    def pair(path, value):
        return tlv(0x30, tlv(6, oid + bytes(path)) + value)
    parts = [pair([2, i + 1], integer(svn[i])) for i in range(16)]
    parts += [pair([2, 17], integer(pce_svn)), pair([2, 18], tlv(4, bytes(svn)))]
    return tlv(0x30, pair([1], tlv(4, bytes(16))) + pair([2], tlv(0x30, b"".join(parts))) + pair([3], tlv(4, PCE_ID)) +
               pair([4], tlv(4, FMSPC)) + pair([5], integer(1, 10)))


def authority(name, common_name, issuer=None):
    """A CA with a database of its own, so that it can revoke."""
    key_new(name)
    os.makedirs(at(name + ".db"))
    open(at(name + ".db/index"), "w").close()
    for counter in ("serial", "crlnumber"):
        with open(at(f"{name}.db/{counter}"), "w", encoding="ascii") as f:
            f.write("1001\n")
    with open(at(name + ".cnf"), "w", encoding="ascii") as f:
        f.write(f"""[ca]
default_ca=this
[this]
database={at(name)}.db/index
serial={at(name)}.db/serial
crlnumber={at(name)}.db/crlnumber
new_certs_dir={at(name)}.db
certificate={at(name)}.pem
private_key={at(name)}.key
default_md=sha256
policy=any
unique_subject=no
copy_extensions=none
[any]
commonName=supplied
organizationName=optional
""")
    certificate(name, common_name, issuer or name, ca=True)
    return name


def certificate(name, common_name, issuer, ca=False, extension=None, serial=None):
    if not os.path.exists(at(name + ".key")):
        key_new(name)
    openssl("req", "-new", "-key", at(name + ".key"), "-subj", f"/CN={common_name}/O=APEX tests", "-out", at(name + ".csr"))
    with open(at(name + ".ext"), "w", encoding="ascii") as f:
        f.write("basicConstraints=critical," + ("CA:TRUE" if ca else "CA:FALSE") + "\n")
        f.write("keyUsage=critical," + ("keyCertSign,cRLSign" if ca else "digitalSignature,nonRepudiation") + "\n")
        f.write("subjectKeyIdentifier=hash\n")
        if extension:
            f.write("1.2.840.113741.1.13.1=DER:" + extension.hex(":") + "\n")
    with open(at(issuer + ".db/serial"), encoding="ascii") as f:
        number = f.read().strip()
    openssl("ca", "-batch", "-notext", "-config", at(issuer + ".cnf"), "-in", at(name + ".csr"), "-out", at(name + ".pem"), "-extfile",
            at(name + ".ext"), "-startdate", BEGIN, "-enddate", END, *(["-selfsign"] if name == issuer else []))
    SERIALS[name] = (issuer, number)
    return name


SERIALS = {}


def pem(*names):
    text = b""
    for name in names:
        with open(at(name + ".pem"), "rb") as f:
            text += f.read()
    return text


def crl(issuer, *revoked):
    for name in revoked:
        openssl("ca", "-config", at(issuer + ".cnf"), "-revoke", at(f"{issuer}.db/{SERIALS[name][1]}.pem"))
    text = openssl("ca", "-config", at(issuer + ".cnf"), "-gencrl", "-crl_lastupdate", "20250601000000Z", "-crl_nextupdate",
                   "20300101000000Z")
    return openssl("crl", "-outform", "DER", data=text)


# ---- reports and quotes ----

def sgx_report(signer=bytes(32), prod=0, svn=0, data=bytes(64), attributes=0x11, enclave=bytes(32), misc=0):
    b = bytearray(384)
    struct.pack_into("<I", b, 16, misc)
    struct.pack_into("<Q", b, 48, attributes)
    b[64:96], b[128:160] = enclave, signer
    struct.pack_into("<HH", b, 256, prod, svn)
    b[320:384] = data
    return bytes(b)


def td_report(svn, attributes=1 << 28, xfam=0x602e7, signer=bytes(48), seam_attributes=0, svn2=None, service=bytes(48)):
    b = bytearray(584)
    b[0:16] = bytes(svn) + bytes(16 - len(svn))
    b[16:64] = bytes([0x5e]) * 48
    b[64:112] = signer
    struct.pack_into("<QQQ", b, 112, seam_attributes, attributes, xfam)
    for i, reg in enumerate((136, 328, 376, 424)):
        b[reg:reg + 48] = bytes([0x10 + i]) * 48
    b[520:584] = bytes(range(64))
    return bytes(b) + (bytes(svn2) + bytes(16 - len(svn2)) + service if svn2 is not None else b"")


def quote(body, version=4, tee=0x81, chain="chain", qe=None, upper=bytes(32), by="pck"):
    kind = {384: 1, 584: 2, 648: 3}[len(body)]
    head = struct.pack("<HHIHH", version, 2, 0 if version == 3 else tee, 0, 0) + bytes.fromhex("939a7233f79c4ca9940a0db3957f0607") + bytes(20)
    head += (struct.pack("<HI", kind, len(body)) if version == 5 else b"") + body
    auth = bytes(range(32))
    key = point("attest")
    fields = {"signer": QE_SIGNER, "prod": 2 if tee else 1, "svn": 6, **(qe or {})}
    qe_report = sgx_report(data=hashlib.sha256(key + auth).digest() + upper, **fields)
    inner = qe_report + sign(by, qe_report) + struct.pack("<H", 32) + auth
    inner += struct.pack("<HI", 5, len(CHAINS[chain]) + 1) + CHAINS[chain] + b"\0"
    if version > 3:
        inner = struct.pack("<HI", 6, len(inner)) + inner
    inner = sign("attest", head) + key + inner
    tail = len(CHAINS[chain]) + 1
    whole = head + struct.pack("<I", len(inner)) + inner
    return whole[:-tail], whole[-tail:]  # the chain apart: many cases share it


# ---- collateral ----

def dump(o):
    return json.dumps(o, separators=(",", ":"))


def signed(name, inner, by="signing"):
    text = dump(inner)
    return f'{{"{name}":{text},"signature":"{sign(by, text.encode()).hex()}"}}'.encode()


def level(sgx, pce, tdx, status, advisories=(), date="2024-03-13T00:00:00Z"):
    def components(v):
        return [{"svn": n} for n in list(v) + [0] * (16 - len(v))]
    tcb = {"sgxtcbcomponents": components(sgx), "pcesvn": pce}
    if tdx is not None:
        tcb["tdxtcbcomponents"] = components(tdx)
    return {"tcb": tcb, "tcbDate": date, "tcbStatus": status, **({"advisoryIDs": list(advisories)} if advisories else {})}


def isv(svn, status, advisories=()):
    return {"tcb": {"isvsvn": svn}, "tcbDate": "2024-03-13T00:00:00Z", "tcbStatus": status,
            **({"advisoryIDs": list(advisories)} if advisories else {})}


ZERO48, ZERO8 = "00" * 48, "00" * 8
MODULE_3 = [isv(3, "UpToDate"), isv(2, "OutOfDate", ["INTEL-SA-01036"]), isv(1, "Revoked")]
LEVELS = [level([5, 5], 11, [3, 0, 4], "UpToDate"), level([5, 5], 11, [2, 0, 2], "OutOfDate", ["INTEL-SA-01099"]),
          level([4, 4], 10, [2, 0, 2], "Revoked")]


def tcb_info(levels=None, modules=None, ident="TDX", fmspc=FMSPC, pce_id=PCE_ID, by="signing", evaluation=17, **more):
    info = {"id": ident, "version": 3, "issueDate": "2025-06-19T10:00:00Z", "nextUpdate": "2025-07-19T10:00:00Z", "fmspc": fmspc.hex().upper(),
            "pceId": pce_id.hex(), "tcbType": 0, "tcbEvaluationDataNumber": evaluation}
    if ident == "TDX":
        info["tdxModule"] = {"mrsigner": ZERO48, "attributes": ZERO8, "attributesMask": "FF" * 8}
        info["tdxModuleIdentities"] = [{"id": "TDX_03", "mrsigner": ZERO48, "attributes": ZERO8, "attributesMask": "FF" * 8,
                                        "tcbLevels": modules or MODULE_3}]
    info["tcbLevels"] = levels or LEVELS
    info.update(more)
    return signed("tcbInfo", info, by)


def tcb_info_2(levels):
    return signed("tcbInfo", {"version": 2, "issueDate": "2025-06-19T10:00:00Z", "nextUpdate": "2025-07-19T10:00:00Z", "fmspc": FMSPC.hex(),
                              "pceId": PCE_ID.hex(), "tcbType": 0, "tcbEvaluationDataNumber": 9, "tcbLevels": [
        {"tcb": {**{f"sgxtcbcomp{i + 1:02d}svn": (list(v) + [0] * 16)[i] for i in range(16)}, "pcesvn": pce}, "tcbDate": "2024-03-13T00:00:00Z",
         "tcbStatus": status} for v, pce, status in levels]})


def qe_identity(levels=None, ident="TD_QE", signer=QE_SIGNER, prod=2, **more):
    return signed("enclaveIdentity", {
        "id": ident, "version": 2, "issueDate": "2025-06-19T10:00:00Z", "nextUpdate": "2025-07-19T10:00:00Z", "tcbEvaluationDataNumber": 17,
        "miscselect": "00000000", "miscselectMask": "FFFFFFFF", "attributes": "11" + "00" * 15, "attributesMask": "FBFFFFFFFFFFFFFF" + "00" * 8,
        "mrsigner": signer.hex().upper(), "isvprodid": prod,
        "tcbLevels": levels or [isv(6, "UpToDate"), isv(4, "OutOfDate", ["INTEL-SA-00477"]), isv(2, "Revoked")], **more})


# ---- the cases ----

BLOBS, CASES, CHAINS = {}, [], {}


def blob(data):
    name = hashlib.sha256(data).hexdigest()[:16]
    BLOBS[name] = base64.b64encode(data).decode()
    return name


def case(name, q, want=None, status="UpToDate", tee="tdx", when=AT, without=(), **parts):
    """want: the reason of a refusal, or None where the evidence is genuine and its platform has this status."""
    files = {**GOOD, **parts}
    CASES.append({"name": name, "tee": tee, "at": when, "quote": [blob(piece) for piece in q], "reason": want or "none", "status": None if want else status,
                  "parts": {k: blob(v) for k, v in files.items() if k not in without}})


authority("root", "APEX tests root")
authority("platform", "Intel SGX PCK Platform CA", "root")
authority("platform2", "Intel SGX PCK Platform CA", "root")
authority("other", "APEX tests other CA", "root")
authority("foreign", "APEX tests root")
key_new("attest")
NOW = ([5, 5] + [0] * 14, 11)
certificate("pck", "Intel SGX PCK Certificate", "platform", extension=pck_extension(*NOW))
certificate("pck_bad", "Intel SGX PCK Certificate", "platform2", extension=pck_extension(*NOW))
certificate("pck_old", "Intel SGX PCK Certificate", "platform", extension=pck_extension([4, 4] + [0] * 14, 11))
certificate("pck_older", "Intel SGX PCK Certificate", "platform", extension=pck_extension([1, 1] + [0] * 14, 11))
certificate("pck_name", "Intel SGX TCB Signing", "platform", extension=pck_extension(*NOW))
certificate("pck_ca", "Intel SGX PCK Certificate", "other", extension=pck_extension(*NOW))
certificate("pck_bare", "Intel SGX PCK Certificate", "platform")
certificate("signing", "Intel SGX TCB Signing", "root")
certificate("signing_name", "Intel SGX PCK Certificate", "root")
certificate("signing_bad", "Intel SGX TCB Signing", "root")
for leaf in ("pck", "pck_old", "pck_older", "pck_name", "pck_bare"):
    CHAINS[leaf] = pem(leaf, "platform", "root")
CHAINS["chain"] = CHAINS["pck"]
CHAINS["pck_bad"] = pem("pck_bad", "platform2", "root")
CHAINS["pck_ca"] = pem("pck_ca", "other", "root")
CHAINS["foreign"] = pem("pck", "platform", "foreign")
CHAINS["no_ca"] = pem("pck", "root")
CHAINS["no_root"] = pem("pck", "platform")
CHAINS["more"] = pem("pck", "platform", "other", "root")

ROOT_CRL, PLATFORM_CRL = crl("root"), crl("platform")
GOOD = {"tcb_info": tcb_info(), "qe_identity": qe_identity(), "tcb_signing": pem("signing", "root"), "pck_crl": PLATFORM_CRL,
        "root_ca_crl": ROOT_CRL}
CURRENT = [3, 3, 4]
TD = quote(td_report(CURRENT))

case("good", TD)
case("good-without-the-root-beside-it", quote(td_report(CURRENT), chain="no_root"), tcb_signing=pem("signing"))
case("good-v5-td-1.0", quote(td_report(CURRENT), version=5))
case("good-v5-td-1.5", quote(td_report(CURRENT, svn2=CURRENT), version=5))
case("good-without-revocation-lists", TD, without=("pck_crl", "root_ca_crl"))
case("good-module-version-0", quote(td_report([3, 0, 4])))
# certificates
case("pck-revoked", quote(td_report(CURRENT), chain="pck_bad", by="pck_bad"), "revoked", pck_crl=crl("platform2", "pck_bad"))
case("pck-ca-revoked", TD, "revoked", root_ca_crl=crl("root", "platform"))
case("tcb-signing-revoked", TD, "revoked", tcb_signing=pem("signing_bad", "root"), tcb_info=tcb_info(by="signing_bad"),
     root_ca_crl=crl("root", "signing_bad"))
case("pck-crl-missing", TD, "collateral-missing", without=("pck_crl",))
case("root-crl-missing", TD, "collateral-missing", without=("root_ca_crl",))
case("pck-crl-of-the-other-ca", TD, "collateral-missing", pck_crl=crl("other"))
case("pck-crl-by-another-key-of-that-name", TD, "collateral-signature-invalid", pck_crl=crl("platform2"))
case("pck-of-another-name", quote(td_report(CURRENT), chain="pck_name", by="pck_name"), "chain-invalid")
case("pck-of-another-ca", quote(td_report(CURRENT), chain="pck_ca", by="pck_ca"), "chain-invalid", pck_crl=crl("other"))
case("pck-without-versions", quote(td_report(CURRENT), chain="pck_bare", by="pck_bare"), "malformed")
case("root-of-the-same-name", quote(td_report(CURRENT), chain="foreign"), "root-untrusted")
case("pck-ca-left-out", quote(td_report(CURRENT), chain="no_ca"), "chain-invalid")
case("a-certificate-too-many", quote(td_report(CURRENT), chain="more"), "chain-invalid")
case("collateral-signed-by-another-name", TD, "chain-invalid", tcb_signing=pem("signing_name", "root"))
case("collateral-signed-by-the-pck-key", TD, "collateral-signature-invalid", tcb_info=tcb_info(by="pck"))
case("qe-identity-missing", TD, "collateral-missing", without=("qe_identity",))
case("tcb-info-missing", TD, "collateral-missing", without=("tcb_info",))
case("tcb-signing-missing", TD, "collateral-missing", without=("tcb_signing",))
case("no-collateral", TD, status=None, without=tuple(GOOD))
# what Intel says
case("level-revoked", quote(td_report(CURRENT), chain="pck_old", by="pck_old"), "tcb-revoked")
case("below-every-level", quote(td_report(CURRENT), chain="pck_older", by="pck_older"), "tcb-not-supported")
case("tdx-below-every-level", quote(td_report([3, 3, 1])), "tcb-not-supported")
case("late-microcode-old", quote(td_report([3, 3, 2])), status="OutOfDate")
case("levels-in-any-order", TD, tcb_info=tcb_info(levels=LEVELS[::-1]))
case("sw-hardening", TD, status="SWHardeningNeeded", tcb_info=tcb_info(levels=[level([5, 5], 11, [3, 0, 4], "SWHardeningNeeded",
                                                                                     ["INTEL-SA-00615", "INTEL-SA-00657"])]))
case("module-old", quote(td_report([2, 3, 4])), status="OutOfDate")
case("module-old-and-configuration", quote(td_report([2, 3, 4])), status="OutOfDateConfigurationNeeded",
     tcb_info=tcb_info(levels=[level([5, 5], 11, [3, 0, 4], "ConfigurationAndSWHardeningNeeded")]))
case("module-revoked", quote(td_report([1, 3, 4])), "tcb-revoked")
case("module-below-every-level", quote(td_report([0, 3, 4])), "tcb-not-supported")
case("module-version-unknown", quote(td_report([3, 5, 4])), "tcb-not-supported")
case("module-of-another-signer", quote(td_report(CURRENT, signer=bytes([1]) + bytes(47))), "tcb-not-supported")
case("module-with-attributes", quote(td_report(CURRENT, seam_attributes=1)), "tcb-not-supported")
case("relaunch-advised", quote(td_report([2, 3, 4], svn2=[3, 3, 4]), version=5), status="TDRelaunchAdvised")
case("relaunch-advised-and-configuration", quote(td_report([2, 3, 4], svn2=[3, 3, 4]), version=5),
     status="TDRelaunchAdvisedConfigurationNeeded", tcb_info=tcb_info(levels=[level([5, 5], 11, [3, 0, 4], "ConfigurationNeeded")]))
case("relaunch-would-not-help", quote(td_report([2, 3, 4], svn2=[2, 3, 4]), version=5), status="OutOfDate")
case("relaunch-with-old-microcode", quote(td_report([2, 3, 4], svn2=[3, 3, 3]), version=5), status="OutOfDate")
case("relaunch-from-module-version-0", quote(td_report([2, 0, 4], svn2=[3, 0, 4]), version=5), status="OutOfDate")
case("relaunch-with-an-old-quoting-enclave", quote(td_report([2, 3, 4], svn2=[3, 3, 4]), version=5, qe={"svn": 4}), status="OutOfDate")
case("relaunch-to-an-unknown-module", quote(td_report([2, 3, 4], svn2=[3, 7, 4]), version=5), status="OutOfDate")
case("sgx-level-revoked-where-the-tdx-level-is-not", TD, "tcb-revoked", tcb_info=tcb_info(levels=[
    level([5, 5], 11, [9, 0, 9], "Revoked"), level([5, 5], 11, [3, 0, 4], "OutOfDate")]))
# the quoting enclave
case("qe-old", quote(td_report(CURRENT), qe={"svn": 5}), status="OutOfDate")
case("qe-revoked", quote(td_report(CURRENT), qe={"svn": 3}), "tcb-revoked")
case("qe-below-every-level", quote(td_report(CURRENT), qe={"svn": 1}), "tcb-not-supported")
case("qe-of-another-signer", quote(td_report(CURRENT), qe={"signer": bytes(32)}), "qe-identity-mismatch")
case("qe-of-another-product", quote(td_report(CURRENT), qe={"prod": 1}), "qe-identity-mismatch")
case("qe-in-debug-mode", quote(td_report(CURRENT), qe={"attributes": 0x13}), "qe-identity-mismatch")
case("qe-report-data-not-closed", quote(td_report(CURRENT), upper=bytes(31) + b"\1"), "attestation-key-binding")
case("qe-report-signed-by-another-platform", quote(td_report(CURRENT), by="pck_old"), "qe-report-signature-invalid")
case("qe-in-debug-mode-without-collateral", quote(td_report(CURRENT), qe={"attributes": 0x13}), "qe-identity-mismatch", without=tuple(GOOD))
case("qe-with-other-attributes", quote(td_report(CURRENT), qe={"attributes": 0x31}), "qe-identity-mismatch")
case("qe-with-attributes-nobody-asks-about", quote(td_report(CURRENT), qe={"attributes": 0x15}))
case("qe-with-other-misc-select", quote(td_report(CURRENT), qe={"misc": 1}), "qe-identity-mismatch")
case("qe-levels-in-any-order", TD, qe_identity=qe_identity(levels=[isv(2, "Revoked"), isv(4, "OutOfDate"), isv(6, "UpToDate")]))
# documents that do not belong
case("tcb-info-of-sgx", TD, "tee-type-mismatch", tcb_info=tcb_info(ident="SGX", levels=[level([5, 5], 11, None, "UpToDate")]))
case("identity-of-the-sgx-qe", TD, "tee-type-mismatch", qe_identity=qe_identity(ident="QE", prod=1))
case("tcb-info-of-another-model", TD, "fmspc-mismatch", tcb_info=tcb_info(fmspc=bytes.fromhex("b0c06f000000")))
case("tcb-info-of-another-pce", TD, "fmspc-mismatch", tcb_info=tcb_info(pce_id=b"\0\1"))
case("tcb-info-not-yet", TD, "collateral-not-yet-valid", when="2025-06-19T09:59:59Z")
case("tcb-info-at-its-first-moment", TD, when="2025-06-19T10:00:00Z")
case("tcb-info-at-its-last-moment", TD, when="2025-07-19T10:00:00Z")
case("tcb-info-too-late", TD, "collateral-expired", when="2025-07-19T10:00:01Z")
case("sgx-quote-called-tdx", quote(sgx_report(enclave=bytes(32)), version=3, tee=0), "tee-type-mismatch")
case("tdx-quote-called-sgx", TD, "tee-type-mismatch", tee="sgx")
# what a policy minds
case("debug", quote(td_report(CURRENT, attributes=1 << 28 | 1)))
case("sept-ve-not-disabled", quote(td_report(CURRENT, attributes=0)))
case("migratable", quote(td_report(CURRENT, attributes=1 << 28 | 1 << 29)))
case("service-td", quote(td_report(CURRENT, svn2=CURRENT, service=bytes([7]) * 48), version=5))
case("protection-keys", quote(td_report(CURRENT, attributes=1 << 28 | 1 << 30)))
case("key-locker", quote(td_report(CURRENT, attributes=1 << 28 | 1 << 31)))
case("performance-counters", quote(td_report(CURRENT, attributes=1 << 28 | 1 << 63)))
case("attribute-unknown", quote(td_report(CURRENT, attributes=1 << 28 | 1 << 2)))
case("xfam-unknown", quote(td_report(CURRENT, xfam=0x602e7 | 1 << 20)))
case("xfam-without-sse", quote(td_report(CURRENT, xfam=0x602e5)))
# SGX
SGX = {"tee": "sgx", "qe_identity": qe_identity(ident="QE", prod=1),
       "tcb_info": tcb_info(ident="SGX", levels=[level([5, 5], 11, None, "UpToDate"), level([4, 4], 10, None, "OutOfDate")])}
BODY = sgx_report(enclave=bytes([0xe0]) * 32, signer=bytes([0x51]) * 32, prod=7, svn=3, data=bytes(range(64)), attributes=5)
case("sgx-v3", quote(BODY, version=3, tee=0), **SGX)
case("sgx-v4", quote(BODY, version=4, tee=0), **SGX)
case("sgx-v5", quote(BODY, version=5, tee=0), **SGX)
case("sgx-old", quote(BODY, version=3, tee=0, chain="pck_old", by="pck_old"), status="OutOfDate", **SGX)
case("sgx-tcb-info-version-2", quote(BODY, version=3, tee=0), **{**SGX, "tcb_info": tcb_info_2([([5, 5], 11, "UpToDate"),
                                                                                              ([1, 1], 5, "OutOfDate")])})
case("sgx-debug", quote(sgx_report(attributes=7, data=bytes(range(64))), version=3, tee=0), **SGX)

json.dump({"root": pem("root").decode(), "cases": CASES, "blobs": BLOBS}, sys.stdout, indent=0)
print()
