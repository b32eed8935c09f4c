set -eu
cd "$(mktemp -d)"
cat > Snakefile <<'WORKFLOW'
rule all:
    input: expand("{sample}.txt", sample=["a", "b"])
rule count:
    output: "{sample}.txt"
    shell: "echo {wildcards.sample} > {output}"
WORKFLOW
snakemake --cores 1 --quiet all
test "$(cat a.txt b.txt)" = "$(printf 'a\nb')"
