// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title The public register of APEX logs.
/// @notice What an enclave's log says of contracts, runs and itself, where its operator cannot take it back.
/// @dev A log goes by an id that its first key is part of (`idOf`), so nobody can open it but the holder of that key and there is nothing to squat. From
/// then on a key speaks for the log if one that already speaks for it says so. Every record is a statement signed by such a key (EIP-712: bound to this chain
/// and this contract), so it does not matter who sends it, pays for it, or copies it from the mempool: the effect is the same, once. There is no owner, no
/// upgrade, no pause; nothing recorded can be changed. docs/chain.md has the reasons, the gas, and what was looked at for attacks.
contract ApexRegistry {
    struct Signature {
        bytes32 r;
        bytes32 s; // in the lower half of the order, else refused
        uint8 v; // 27 or 28
    }

    /// The newest anchor. `anchored` and `opened` are block numbers; each Anchored event names the block of the one before it.
    struct Head {
        uint64 size;
        uint64 anchored;
        uint64 opened;
        bytes32 root;
    }

    struct Run {
        uint64 run; // index of the run's entry in the log
        bytes32 manifest; // SHA-256 of the manifest: the contract's address
        bytes32 program; // SHA-256 of the program that ran
        bytes32 request; // digest of the request
        bytes32 inputs; // digest over the contributions it read
        bytes32 output; // digest of the answer
        address payee; // whom a deposit for this request is paid to
    }

    /// What is kept of a run: keccak256(abi.encode(Run)), and what finds the rest.
    struct Kept {
        bytes32 digest;
        address payee;
        uint64 committed; // block number
    }

    struct Deposit {
        address from;
        uint64 deadline; // seconds; a refund is open from then on
        bytes32 log;
        bytes32 manifest;
        bytes32 request;
        uint256 amount;
    }

    event Opened(bytes32 indexed log, string origin, bytes32 logKey, address key, bytes32 evidence);
    event Admitted(bytes32 indexed log, address indexed key, bytes32 evidence, address by);
    event Deployed(bytes32 indexed log, bytes32 indexed manifest, bytes32 program, Signature by);
    event Anchored(bytes32 indexed log, uint64 indexed size, bytes32 root, uint64 previous, Signature by);
    event Committed(bytes32 indexed log, uint64 indexed run, bytes32 indexed manifest, Run what, Signature by);
    event Deposited(uint256 indexed id, bytes32 indexed log, bytes32 indexed request, bytes32 manifest, address from, uint256 amount, uint64 deadline);
    event Paid(uint256 indexed id, address indexed payee, uint64 run, uint256 amount);
    event Refunded(uint256 indexed id, address indexed from, uint256 amount);

    error BadOrigin();
    error AlreadyOpen();
    error UnknownLog();
    error NotSignedByKey();
    error NotAdmitted(address signer);
    error HighS();
    error BadSignature();
    error NoKey();
    error NoEvidence();
    error AlreadyAdmitted();
    error EvidenceOfAnotherKey();
    error NoDigest();
    error AlreadyDeployed();
    error OtherProgram(bytes32 recorded);
    error AnchorRepeats();
    error AnchorContradicts(bytes32 recorded);
    error AnchorShrinks(uint64 recorded);
    error NotConsistent();
    error UnknownContract();
    error AlreadyCommitted();
    error RunContradicts(bytes32 recorded);
    error NothingDeposited();
    error BadDeadline();
    error UnknownDeposit();
    error OtherRun();
    error TooEarly(uint64 deadline);
    error NotPaid();

    bytes32 private constant DOMAIN_TYPE = keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
    bytes32 private constant OPEN_TYPE = keccak256("Open(string origin,bytes32 logKey,address key,bytes32 evidence)");
    bytes32 private constant ADMIT_TYPE = keccak256("Admit(bytes32 log,address key,bytes32 evidence)");
    bytes32 private constant CONTRACT_TYPE = keccak256("Contract(bytes32 log,bytes32 manifest,bytes32 program)");
    bytes32 private constant ANCHOR_TYPE = keccak256("Anchor(bytes32 log,uint64 size,bytes32 root)");
    bytes32 private constant RUN_TYPE =
        keccak256("Run(bytes32 log,uint64 run,bytes32 manifest,bytes32 program,bytes32 request,bytes32 inputs,bytes32 output,address payee)");
    bytes32 private constant NAME = keccak256("APEX");
    bytes32 private constant VERSION = keccak256("1");
    uint256 private constant HALF_ORDER = 0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0;
    uint256 private constant ORIGIN_MAX = 128;
    uint256 private constant DEADLINE_MAX = 365 days;

    mapping(bytes32 log => Head) public heads;
    /// Block in which a key was admitted to speak for a log; 0: it does not.
    mapping(bytes32 log => mapping(address key => uint64)) public admitted;
    /// The key that a piece of evidence (its SHA-256) was recorded for.
    mapping(bytes32 log => mapping(bytes32 evidence => address)) public evidences;
    mapping(bytes32 log => mapping(bytes32 manifest => bytes32)) public programs;
    mapping(bytes32 log => mapping(uint64 run => Kept)) public runs;
    mapping(uint256 id => Deposit) public deposits;
    uint256 public depositCount;

    // -- what is recorded of a log ------------------------------------------------------------------------------------------------------------------------

    /// Opens a log with its first key. The key signs, and is part of the id, so only its holder can, and only once.
    function open(string calldata origin, bytes32 logKey, address key, bytes32 evidence, Signature calldata by) external returns (bytes32 log) {
        if (bytes(origin).length == 0 || bytes(origin).length > ORIGIN_MAX) revert BadOrigin();
        log = idOf(origin, logKey, key);
        if (heads[log].opened != 0) revert AlreadyOpen();
        if (signerOf(keccak256(abi.encode(OPEN_TYPE, keccak256(bytes(origin)), logKey, key, evidence)), by) != key) revert NotSignedByKey();
        heads[log].opened = uint64(block.number);
        note(log, key, evidence);
        emit Opened(log, origin, logKey, key, evidence);
    }

    /// Another key, or newer evidence of one, by a key that speaks for the log.
    function admit(bytes32 log, address key, bytes32 evidence, Signature calldata by) external {
        address signer = speakerOf(log, keccak256(abi.encode(ADMIT_TYPE, log, key, evidence)), by);
        note(log, key, evidence);
        emit Admitted(log, key, evidence, signer);
    }

    /// A deployed contract: its manifest and the program that runs for it.
    function record(bytes32 log, bytes32 manifest, bytes32 program, Signature calldata by) external {
        if (manifest == 0 || program == 0) revert NoDigest();
        speakerOf(log, keccak256(abi.encode(CONTRACT_TYPE, log, manifest, program)), by);
        bytes32 had = programs[log][manifest];
        if (had == program) revert AlreadyDeployed();
        if (had != 0) revert OtherProgram(had);
        programs[log][manifest] = program;
        emit Deployed(log, manifest, program, by);
    }

    /// A checkpoint of the log. `proof` shows that the log of the last anchor is its beginning (RFC 9162, 2.1.4); empty for the first one.
    function anchor(bytes32 log, uint64 size, bytes32 root, bytes32[] calldata proof, Signature calldata by) external {
        Head memory head = heads[log];
        speakerOf(log, keccak256(abi.encode(ANCHOR_TYPE, log, size, root)), by);
        if (size == head.size && head.size != 0) {
            if (root == head.root) revert AnchorRepeats();
            revert AnchorContradicts(head.root);
        }
        if (size <= head.size) revert AnchorShrinks(head.size);
        if (head.size == 0 ? proof.length != 0 : !consistent(head.size, head.root, size, root, proof)) revert NotConsistent();
        heads[log] = Head(size, uint64(block.number), head.opened, root);
        emit Anchored(log, size, root, head.anchored, by);
    }

    /// What a run read, ran and answered, as digests.
    function commit(bytes32 log, Run calldata what, Signature calldata by) external {
        speakerOf(
            log,
            keccak256(abi.encode(RUN_TYPE, log, what.run, what.manifest, what.program, what.request, what.inputs, what.output, what.payee)),
            by
        );
        bytes32 program = programs[log][what.manifest];
        if (program == 0) revert UnknownContract();
        if (program != what.program) revert OtherProgram(program);
        bytes32 digest = keccak256(abi.encode(what));
        bytes32 had = runs[log][what.run].digest;
        if (had == digest) revert AlreadyCommitted();
        if (had != 0) revert RunContradicts(had);
        runs[log][what.run] = Kept(digest, what.payee, uint64(block.number));
        emit Committed(log, what.run, what.manifest, what, by);
    }

    /// Several of the above in one transaction, all or none. It takes no money, so no payment can be counted twice.
    function batch(bytes[] calldata calls) external {
        for (uint256 i = 0; i < calls.length; i++) {
            (bool fine, bytes memory said) = address(this).delegatecall(calls[i]);
            if (!fine) {
                assembly {
                    revert(add(said, 32), mload(said))
                }
            }
        }
    }

    // -- fees -------------------------------------------------------------------------------------------------------------------------------------------

    /// A fee for the answer to a request (its digest), paid to the payee that the run's commitment names.
    function deposit(bytes32 log, bytes32 manifest, bytes32 request, uint64 deadline) external payable returns (uint256 id) {
        if (msg.value == 0) revert NothingDeposited();
        if (deadline <= block.timestamp || deadline > block.timestamp + DEADLINE_MAX) revert BadDeadline();
        if (programs[log][manifest] == 0) revert UnknownContract();
        id = depositCount++;
        deposits[id] = Deposit(msg.sender, deadline, log, manifest, request, msg.value);
        emit Deposited(id, log, request, manifest, msg.sender, msg.value, deadline);
    }

    /// Pays a deposit out to the payee of a committed run that answers its request. Anybody may call it: the money has one way to go.
    function withdraw(uint256 id, Run calldata what) external {
        Deposit memory d = deposits[id];
        if (d.from == address(0)) revert UnknownDeposit();
        if (what.manifest != d.manifest || what.request != d.request || runs[d.log][what.run].digest != keccak256(abi.encode(what))) revert OtherRun();
        delete deposits[id];
        emit Paid(id, what.payee, what.run, d.amount);
        pay(what.payee, d.amount);
    }

    /// Gives a deposit that nobody earned in time back to who made it. Anybody may call it.
    function refund(uint256 id) external {
        Deposit memory d = deposits[id];
        if (d.from == address(0)) revert UnknownDeposit();
        if (block.timestamp < d.deadline) revert TooEarly(d.deadline);
        delete deposits[id];
        emit Refunded(id, d.from, d.amount);
        pay(d.from, d.amount);
    }

    // -- what can be worked out ---------------------------------------------------------------------------------------------------------------------------

    /// The id of a log: its name, its Ed25519 key, and the first key that speaks for it here.
    function idOf(string calldata origin, bytes32 logKey, address key) public pure returns (bytes32) {
        return keccak256(abi.encode(keccak256(bytes(origin)), logKey, key));
    }

    /// EIP-712's domain. Worked out anew each time: after a split of the chain, statements are good on the one half that kept the id.
    function domain() public view returns (bytes32) {
        return keccak256(abi.encode(DOMAIN_TYPE, NAME, VERSION, block.chainid, address(this)));
    }

    /// A contract's address as people write it: "apex1" and the manifest's digest in base32.
    function addressText(bytes32 manifest) external pure returns (string memory) {
        bytes memory text = new bytes(57);
        bytes memory letters = "abcdefghijklmnopqrstuvwxyz234567";
        (text[0], text[1], text[2], text[3], text[4]) = ("a", "p", "e", "x", "1");
        for (uint256 i = 0; i < 52; i++) {
            uint256 shift = 5 * (i + 1);
            text[5 + i] = letters[(shift <= 256 ? uint256(manifest) >> (256 - shift) : uint256(manifest) << (shift - 256)) & 31];
        }
        return string(text);
    }

    // -- inside -------------------------------------------------------------------------------------------------------------------------------------------

    function note(bytes32 log, address key, bytes32 evidence) private {
        if (key == address(0)) revert NoKey();
        if (evidence == 0) revert NoEvidence();
        address of_ = evidences[log][evidence];
        if (of_ == key) revert AlreadyAdmitted();
        if (of_ != address(0)) revert EvidenceOfAnotherKey();
        evidences[log][evidence] = key;
        if (admitted[log][key] == 0) admitted[log][key] = uint64(block.number);
    }

    function signerOf(bytes32 statement, Signature calldata by) private view returns (address signer) {
        if (uint256(by.s) > HALF_ORDER) revert HighS();
        signer = ecrecover(keccak256(abi.encodePacked(hex"1901", domain(), statement)), by.v, by.r, by.s);
        if (signer == address(0)) revert BadSignature();
    }

    function speakerOf(bytes32 log, bytes32 statement, Signature calldata by) private view returns (address signer) {
        if (heads[log].opened == 0) revert UnknownLog();
        signer = signerOf(statement, by);
        if (admitted[log][signer] == 0) revert NotAdmitted(signer);
    }

    /// RFC 9162, section 2.1.4.2, for 0 < size1 < size2.
    function consistent(uint64 size1, bytes32 root1, uint64 size2, bytes32 root2, bytes32[] calldata proof) private pure returns (bool) {
        uint64 fn = size1 - 1;
        uint64 sn = size2 - 1;
        while (fn & 1 == 1) (fn, sn) = (fn >> 1, sn >> 1);
        // A size that is a power of two needs no first hash: it is the old root itself.
        uint256 next = fn == 0 ? 0 : 1;
        if (proof.length < next || proof.length > 64) return false;
        bytes32 fr = fn == 0 ? root1 : proof[0];
        bytes32 sr = fr;
        for (; next < proof.length; next++) {
            if (sn == 0) return false;
            bytes32 c = proof[next];
            if (fn & 1 == 1 || fn == sn) {
                fr = node(c, fr);
                sr = node(c, sr);
                while (fn & 1 == 0 && fn != 0) (fn, sn) = (fn >> 1, sn >> 1);
            } else {
                sr = node(sr, c);
            }
            (fn, sn) = (fn >> 1, sn >> 1);
        }
        return sn == 0 && fr == root1 && sr == root2;
    }

    function node(bytes32 left, bytes32 right) private pure returns (bytes32) {
        return sha256(abi.encodePacked(hex"01", left, right));
    }

    function pay(address to, uint256 amount) private {
        (bool fine,) = to.call{value: amount}("");
        if (!fine) revert NotPaid();
    }
}
