// An unallocated encoding: the program dies of SIGILL.
    .text
    .global _start
_start:
    .inst   0x00000000
    mov     x0, #0
    mov     x8, #93
    svc     #0
