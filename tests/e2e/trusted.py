#!/usr/bin/env python3
"""`apex trust` as a risk officer uses it: a live node, evidence in files, policies that accept and refuse, bundles for a site without a network."""
import json
import os
import shutil

from apexlib import BUILD, LOOSE, ROOT, SHARED, Node, Party, deploy, done, manifest, say

VECTORS = os.path.join(SHARED, "vectors/attestation")


def vector(path):
    return os.path.join(VECTORS, path)


SNP = {name: ["--evidence", vector(f"snp/{name}/report.bin"), "--certs", vector(f"snp/{name}/{leaf}"), "--at", at]
       for name, leaf, at in (("turin-v5-microsoft", "leaf.pem", "2026-11-01T00:00:00Z"), ("milan-v2-debug", "leaf.der", "2026-11-01"),
                              ("milan-v3-aws-vlek", "leaf.der", "2025-06-01"))}


def check(party, words, policy=None):
    """The exit code and the verdict."""
    if policy is not None:
        path = os.path.join(party.home, "p.json")
        json.dump(policy, open(path, "w"))
        words = words + ["--policy", path]
    code, out, err = party.apex("trust", "check", *words, "--json")
    return code, json.loads(out) if out.startswith("{\"genuine") else {}, err


def failed(verdict):
    return [c["name"] for c in verdict.get("checks", []) if c["result"] == "fail"]


def files(party):
    code, v, err = check(party, SNP["turin-v5-microsoft"])
    say(code == 1 and v["genuine"] and not v["acceptable"] and v["product"] == "Turin", "genuine evidence without a policy is told, and not accepted", (code, v, err))
    policy = {"apex": 1, "accept": [{"tee": "sev-snp", "measurements": [v["measurement"]], "snp": {"allow": ["smt"]}}]}
    code, v, err = check(party, SNP["turin-v5-microsoft"], policy)
    say(code == 0 and v["acceptable"], "the policy that names it accepts it", (code, v, err))
    policy["distrust"] = ["sev-snp"]
    code, v, err = check(party, SNP["turin-v5-microsoft"], policy)
    say(code == 1 and failed(v) == ["not-distrusted"], "a family that is distrusted is refused whatever stands beside", (code, failed(v)))
    code, v, err = check(party, SNP["turin-v5-microsoft"][:4] + ["--at", "2040-01-01"])
    say(code == 1 and v["reason"] == "leaf-expired" and not v["facts"] and not v["measurement"], "what is not genuine tells nothing of itself", (code, v))
    code, v, err = check(party, SNP["milan-v2-debug"])
    debug = {"apex": 1, "accept": [{"tee": "sev-snp", "measurements": [v["measurement"]], "snp": {"allow": ["smt"]}}]}
    code, v, err = check(party, SNP["milan-v2-debug"], debug)
    say(code == 1 and failed(v) == ["debug"] and "DEBUG" in v["sentence"] and "debug-allowed" in [f["name"] for f in v["findings"]],
        "a debug guest is refused, and the first sentence says DEBUG", (code, v.get("sentence"), failed(v)))
    code, v, err = check(party, SNP["milan-v3-aws-vlek"])
    vlek = {"apex": 1, "accept": [{"tee": "sev-snp", "measurements": [v["measurement"]],
                                   "snp": {"allow": ["smt", "provisional-firmware"], "maximum_vmpl": 1}}]}
    code, v, err = check(party, SNP["milan-v3-aws-vlek"], vlek)
    say(code == 1 and failed(v) == ["provider"], "a provider's key is refused until the policy names the provider", failed(v))
    vlek["accept"][0]["snp"]["providers"] = ["CN=cc-us-east-2.amazonaws.com"]
    code, v, err = check(party, SNP["milan-v3-aws-vlek"], vlek)
    say(code == 0, "and then accepted", failed(v))
    nitro = ["--evidence", vector("nitro/evervault-debug/document.cbor"), "--at", "2022-10-12T13:50:06Z"]
    code, v, err = check(party, nitro, {"apex": 1, "accept": [{"tee": "nitro", "measurements": ["00" * 48]}]})
    say(code == 1 and "debug" in failed(v), "a Nitro enclave in debug mode is refused even where the policy names zeros", failed(v))
    code, out, err = party.apex("trust", "check", "--evidence", vector("README.md"))
    say(code == 3 and "no evidence" in err, "a file that is no evidence is bad data", (code, err))
    code, out, err = party.apex("trust", "check", *SNP["turin-v5-microsoft"][:4], "--at", "yesterday")
    say(code == 2 and "next:" in err, "a time that is none is a usage error", (code, err))
    code, out, err = party.apex("trust", "check", *SNP["turin-v5-microsoft"])
    say(all(w in out for w in ("genuine          yes", "acceptable       NO", "AMD SEV-SNP, Turin", "To be weighed:", "Checks:")), "people read the answer first, then the rest", out)


def tdx(party):
    """A quote whose platform is out of date, by Intel's collateral in a folder."""
    folder = os.path.join(party.home, "collateral")
    shutil.copytree(vector("collateral/tdx-00a06d08-2025-11"), folder)
    shutil.copy(vector("roots/intel/sgx_tcb_signing_2025_2032.pem"), os.path.join(folder, "tcb_signing.pem"))
    words = ["--evidence", vector("tdx/v4-00a06d08-module3/quote.bin"), "--at", "2025-11-01"]
    code, v, err = check(party, words + ["--collateral", folder])
    facts = {f["name"]: f["value"] for f in v["facts"]}
    say(v["genuine"] and facts["status by Intel"] == "OutOfDate", "a TDX quote is told with Intel's word on its platform", facts)
    policy = {"apex": 1, "accept": [{"tee": "tdx", "measurements": [v["measurement"]]}]}
    code, v, err = check(party, words + ["--collateral", folder], policy)
    say(code == 1 and "tcb-status" in failed(v), "and one that is out of date is refused", failed(v))
    return folder, words, policy


def bundles(party, auditor, folder, words, policy):
    """The auditor makes a bundle; the site uses it, without the folder."""
    measurement = policy["accept"][0]["measurements"][0]
    listed, bundle = os.path.join(auditor.home, "list.json"), os.path.join(auditor.home, "june.bundle")
    json.dump({"measurements": [{"tee": "tdx", "measurement": measurement, "label": "apex 0.1.0, built twice"}]}, open(listed, "w"))
    code, out, err = auditor.apex("trust", "bundle", "make", listed, folder, "-o", bundle, "--days", "30")
    say(code == 0, "an auditor makes a bundle of a list and a folder of collateral", (code, err))
    code, out, err = party.apex("trust", "bundle", "check", bundle)
    say(code == 1 and "believed     NO" in out, "nobody believes an auditor whom no policy names", (code, out, err))
    code, out, err = party.apex("trust", "bundle", "use", bundle)
    say(code == 1 and "not kept" in err, "nor keeps its bundle", (code, err))
    key = json.loads(auditor.ok("id", "show", "--json"))["sign"]
    audited = {"apex": 1, "auditors": [key], "accept": [{"tee": "tdx", "audited": True, "tdx": {"statuses": ["OutOfDate"], "advisories": []}}]}
    json.dump(audited, open(os.path.join(party.home, "trust.json"), "w"))
    code, out, err = party.apex("trust", "bundle", "use", bundle)
    say(code == 0 and "apex 0.1.0, built twice" in out, "an auditor whom the policy names is believed", (code, out, err))
    code, v, err = check(party, words[:2])
    say(code == 1 and not v["acceptable"], "collateral that has expired stays so in a bundle", (code, v.get("reason")))
    for make, spoil in ((os.mkdir, os.rmdir), (lambda path: os.symlink("nowhere", path), os.unlink)):
        path = os.path.join(party.home, "bundles/x.bundle")
        make(path)
        code, out, err = party.apex("trust", "check", *words[:2])
        say(code in (2, 3) and "x.bundle cannot be read" in err, "a bundle that cannot be read is said, and nothing is judged without it", (code, out, err))
        spoil(path)
    spoilt = bytearray(open(bundle, "rb").read())
    spoilt[len(spoilt) // 2] ^= 1
    open(bundle, "wb").write(spoilt)
    code, out, err = party.apex("trust", "bundle", "use", bundle)
    say(code in (1, 3) and "signature" in err, "a bundle with one changed bit is refused", (code, err))


def live(node, party):
    """The demo's enclave is simulated: only a policy that names sim accepts it, and no option changes that."""
    out = party.ok("trust", "init")
    say("SIMULATED" in out, "a policy is written from live evidence, and says SIMULATED", out)
    path = os.path.join(party.home, "trust.json")
    policy = json.load(open(path))
    say(party.apex("trust", "check")[0] == 0, "the policy just written accepts the node")
    for tee in ("sev-snp", "nitro"):
        other = json.loads(json.dumps(policy))
        other["accept"][0] = {"tee": tee, "measurements": policy["accept"][0]["measurements"]}
        json.dump(other, open(path, "w"))
        for words in (["trust", "check"], ["trust", "check", "--tee", "sim"], ["contract", "list"], ["--quiet", "contract", "list"], ["contract", "list", "--policy", path],
                      ["contract", "list", "--replace"]):
            if words[0].startswith("-"):
                words = words[1:] + words[:1]
            code, out, err = party.apex(*words)
            say(code == 1 and "does not accept it" in out + err, f"a policy of {tee} alone refuses the simulated enclave: apex {' '.join(words[:3])}", (code, out, err))
    json.dump(policy, open(path, "w"))
    code, out, err = party.apex("contract", "list")
    say(code == 0, "the policy that names sim is accepted again", (code, err))


def audited_receipt(node, party, auditor):
    """A measurement that stands in an auditor's bundle alone: the node, a receipt and the audit are judged by it."""
    address = deploy(node, [party], manifest(node, party, "cluster", [party], release=LOOSE), "cluster")
    rows = os.path.join(party.home, "rows.csv")
    open(rows, "w").writelines(open(os.path.join(ROOT, "data/nz_addresses.csv")).readlines()[:600])
    party.ok("contribute", address, "customers", rows)
    result = os.path.join(party.home, "result.json")
    party.ok("run", address, "sites", "--param", "k=2", "-o", result)
    path, listed, bundle = (os.path.join(party.home, f) for f in ("trust.json", "list.json", "sim.bundle"))
    policy = json.load(open(path))
    entry = policy["accept"][0]
    json.dump({"measurements": [{"tee": "sim", "measurement": entry["measurements"][0], "label": "built here"}]}, open(listed, "w"))
    auditor.ok("trust", "bundle", "make", listed, "-o", bundle)
    policy["auditors"] = [json.loads(auditor.ok("id", "show", "--json"))["sign"]]
    policy["accept"][0] = {"tee": "sim", "audited": True}
    json.dump(policy, open(path, "w"))
    code, out, err = party.apex("verify", result, "--json")
    say(code == 1 and "evidence-accepted" in failed(json.loads(out)), "a receipt whose enclave only an auditor can vouch for does not verify without the bundle", (code, out))
    party.ok("trust", "bundle", "use", bundle)
    code, out, err = party.apex("verify", result, "--json")
    say(code == 0, "and does with it", (code, failed(json.loads(out)), err))
    say(party.apex("audit", address)[0] == 0, "so does the audit")
    unreadable(party, result, path)


def unreadable(party, result, path):
    """A policy that is there and cannot be read is not the absence of one."""
    kept = path + ".kept"
    os.rename(path, kept)
    code, out, err = party.apex("verify", result, node=False)
    say(code == 0, "without a policy a receipt is held against none", (code, out, err))
    open(path, "w").write(open(kept).read() + " " * (256 * 1024))
    code, out, err = party.apex("verify", result, node=False)
    say(code == 5 and "too long" in err and not out, "a policy that is too long is an error, and nothing is verified", (code, out, err))
    os.unlink(path)
    os.mkdir(path)
    code, out, err = party.apex("verify", result, node=False)
    say(code == 3 and "trust.json" in err and not out, "so is one that cannot be read", (code, out, err))
    os.rmdir(path)
    os.rename(kept, path)
    code, out, err = party.apex("verify", result, "--home", "/dev/null/home", node=False)
    say(code == 3 and not out, "so is a home that was named and is not there", (code, out, err))


def of_node(party, node, path, rows, seed):
    """The contract of a manifest deployed on a node, contributed to and asked there; the result file."""
    at = ["--node", node.url]
    address = json.loads(party.ok("contract", "deploy", path, os.path.join(BUILD, "contracts/cluster.elf"), "--json", *at))["address"]
    party.ok("contract", "accept", address, *at)
    party.ok("contribute", address, "customers", rows, *at)
    result = os.path.join(party.home, "result-%s.json" % node.url.rsplit(":", 1)[1])
    party.ok("run", address, "sites", "--param", "k=3", "--seed", seed, "-o", result, *at)
    return result


def twice(one, two, party, other):
    """The same question to two nodes of one contract: each answer counts for the other, where their machines differ."""
    path, rows = os.path.join(party.home, "trust.json"), os.path.join(party.home, "rows.csv")
    other.ok("trust", "init")
    policy = json.load(open(path))
    policy["logs"] = [policy.pop("log"), json.load(open(os.path.join(other.home, "trust.json")))["log"]]
    json.dump(policy, open(path, "w"))
    open(rows, "w").writelines(open(os.path.join(ROOT, "data/nz_addresses.csv")).readlines()[:600])
    text = manifest(one, party, "cluster", [party], release=LOOSE)
    a, b = of_node(party, one, text, rows, "11" * 32), of_node(party, two, text, rows, "11" * 32)
    code, out, err = party.apex("verify", a, "--also", b, "--json", node=False)
    say(code == 0 and not failed(json.loads(out)), "two nodes of one contract, asked the same, prove one another's answer", (code, out, err))
    address = json.load(open(a))["receipt"]["address"]
    c = os.path.join(party.home, "other-seed.json")
    party.ok("run", address, "sites", "--param", "k=3", "--seed", "22" * 32, "-o", c, "--node", two.url)
    code, out, err = party.apex("verify", a, "--also", c, "--json", node=False)
    say(code == 1 and failed(json.loads(out)) == ["also-same-answer"], "an answer to another question does not count", (code, out, err))
    policy["high_value"] = [{"contract": address, "families": 2}]
    json.dump(policy, open(path, "w"))
    code, out, err = party.apex("verify", a, "--also", b, "--json", node=False)
    say(code == 1 and failed(json.loads(out)) == ["families"], "two simulated machines are of one family, where the policy wants two", (code, out, err))


def main():
    node, second = Node(), Node()
    node.start()
    try:
        party, auditor = Party(node, "kauri", trust=False), Party(node, "auditor", trust=False)
        live(node, party)
        audited_receipt(node, party, auditor)
        os.unlink(os.path.join(party.home, "trust.json"))
        files(party)
        bundles(party, auditor, *tdx(party))
        second.start()
        twice(node, second, Party(node, "rimu"), Party(second, "totara", trust=False))
    finally:
        node.clean()
        second.clean()
    done()


main()
