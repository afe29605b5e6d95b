#include "client/cli/cli.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void one_json(const char *name, const struct apex_image_measurement *m)
{
    printf(", \"%s\": ", name);
    if (m->hex[0])
        printf("\"%s\"", m->hex);
    else
        printf("null");
}

static void print_json(const struct apex_image_measurements *m)
{
    printf("{\"kernel\": \"%s\", \"initrd\": \"%s\", \"cmdline\": \"%s\", \"command_line\": ",
           m->kernel, m->initrd, m->cmdline);
    cli_json_text(stdout, m->command_line);
    printf(", \"firmware\": ");
    if (m->firmware[0])
        printf("\"%s\"", m->firmware);
    else
        printf("null");
    printf(", \"cpu\": \"%s\", \"vcpus\": %u, \"features\": \"0x%llx\"", m->cpu,
           (unsigned)m->vcpus, (unsigned long long)m->features);
    one_json("snp_qemu", &m->snp_qemu);
    one_json("snp_ec2", &m->snp_ec2);
    one_json("tdx_mrtd", &m->td_mrtd);
    one_json("tdx_mrtd_older", &m->td_mrtd_older);
    one_json("tdx_rtmr2", &m->td_rtmr2);
    printf("}\n");
}

static void one(const char *name, const struct apex_image_measurement *m)
{
    printf("    %-11s %s%s\n", name,
           m->hex[0] ? m->hex : "not known: ", m->hex[0] ? "" : m->why);
}

/* The kernel's last word on it; what follows "--" is not the kernel's. */
static bool acpi_is_off(const char *command_line)
{
    bool off = false;
    for (const char *word = command_line; *word;) {
        size_t len = strcspn(word, " ");
        if (len == 2 && strncmp(word, "--", 2) == 0) break;
        if (strncmp(word, "acpi=", 5) == 0) off = len == 8 && strncmp(word, "acpi=off", 8) == 0;
        word += len;
        word += strspn(word, " ");
    }
    return off;
}

static void print_text(const struct apex_image_measurements *m)
{
    printf("What is started, by SHA-256\n"
           "    kernel      %s\n    initrd      %s\n    cmdline     %s\n                %s\n"
           "    firmware    %s\n\n",
           m->kernel, m->initrd, m->cmdline, m->command_line,
           m->firmware[0] ? m->firmware : "not given");
    printf("AMD SEV-SNP, MEASUREMENT of a machine with %u virtual processor%s, %s, "
           "SEV_FEATURES 0x%llx\n",
           (unsigned)m->vcpus, m->vcpus == 1 ? "" : "s", m->cpu,
           (unsigned long long)m->features);
    one("QEMU", &m->snp_qemu);
    one("EC2", &m->snp_ec2);
    printf(
        "\n"
        "  A verifier must also know: the hypervisor (each sets the first registers its own "
        "way), the number\n"
        "  of virtual processors and, under QEMU, their model; and that the kernel was given "
        "with kernel-hashes=on.\n"
        "  On EC2 the firmware is AWS's and starts from a disk: MEASUREMENT covers the "
        "firmware and not this\n"
        "  image. The report tells the rest, and a policy asks for it: debug off, no "
        "migration, SMT, minimum TCB.\n%s\n",
        acpi_is_off(m->command_line)
            ? ""
            : "  ACPI is on: this kernel runs code that the host writes into its tables, and "
              "on SNP nothing measures it.\n");
    printf("Intel TDX\n");
    one("MRTD", &m->td_mrtd);
    one("  or", &m->td_mrtd_older);
    one("RTMR2", &m->td_rtmr2);
    printf("    %-11s 48 zero bytes: the enclave extends nothing\n\n", "RTMR3");
    printf(
        "  MRTD is of the firmware alone: the first where the hypervisor hashes page by page "
        "(Linux 6.16 and\n"
        "  later), the other where it hashes section by section (the kernels before). RTMR2 "
        "is of command line\n"
        "  and initrd, where OVMF starts a kernel that QEMU hands it. Not known from here: "
        "RTMR0 (the machine's\n"
        "  virtual hardware and firmware settings) and RTMR1 (the kernel as QEMU patches it "
        "for this machine):\n"
        "  take them from one start you trust (`apex trust init`), and again when "
        "memory, processors or QEMU change.\n"
        "  What manifests and policies call the measurement of a TD is MRTD, RTMR1 and RTMR2, "
        "in one word of 288 digits.\n");
}

/* A number in decimal, or in hex after 0x; false: it is none. */
static bool number_of(const char *text, uint64_t max, uint64_t *value)
{
    char *end;
    if (!text) return true;
    errno = 0;
    *value = strtoull(text, &end, strncmp(text, "0x", 2) == 0 ? 16 : 10);
    return errno == 0 && text[0] >= '0' && text[0] <= '9' && *end == 0 && *value > 0 &&
           *value <= max;
}

int cmd_image(struct cli *cli)
{
    static struct apex_image_measurements m;
    struct apex_error e;
    uint64_t vcpus = 0, features = 0;
    if (strcmp(cli->word[0], "measure") != 0)
        return cli_usage(cli, "image knows measure", "usage: apex image measure [FOLDER]");
    if (!number_of(cli->vcpus, UINT32_MAX, &vcpus) ||
        !number_of(cli->features, UINT64_MAX, &features))
        return cli_usage(cli, "a number is expected", "such as --vcpus 4 --features 0x21");
    struct apex_image_options o = {.folder = cli->n_words == 2 ? cli->word[1] : "build/image",
                                   .firmware = cli->firmware,
                                   .cpu = cli->cpu,
                                   .vcpus = (uint32_t)vcpus,
                                   .features = features};
    if (apex_image_measure(&o, &m, &e) != APEX_OK) return cli_fail(cli, &e);
    if (cli->json)
        print_json(&m);
    else
        print_text(&m);
    return EXIT_OK;
}
