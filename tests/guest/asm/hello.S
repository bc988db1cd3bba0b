// write(1, "hello\n", 6), then exit(0): ADR, a store that the kernel reads, two system calls.
    .text
    .global _start
_start:
    mov     x0, #1
    adr     x1, message
    mov     x2, #6
    mov     x8, #64
    svc     #0
    cmp     x0, #6
    cset    x0, ne
    mov     x8, #93
    svc     #0
message:
    .ascii  "hello\n"
