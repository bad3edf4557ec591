/*
 * NTSTATUS nm_guarded_lock_pages(PMDL mdl, KPROCESSOR_MODE mode, LOCK_OPERATION operation)
 *
 * Calls MmProbeAndLockPages and returns 0, or STATUS_INSUFFICIENT_RESOURCES when it raised an
 * exception, of whatever kind. gcc has no __try for this target, so the scope table is written by
 * hand.
 */
    .text
    .globl nm_guarded_lock_pages
    .def nm_guarded_lock_pages; .scl 2; .type 32; .endef
    .seh_proc nm_guarded_lock_pages
nm_guarded_lock_pages:
    subq $40, %rsp
    .seh_stackalloc 40
    .seh_endprologue
.Lguard_begin:
    call *__imp_MmProbeAndLockPages(%rip)
    nop
.Lguard_end:
    xorl %eax, %eax
.Lguard_out:
    addq $40, %rsp
    ret
.Lguard_except: /* Windows has the exception's code in eax here, Wine has not */
    movl $0xC000009A, %eax
    jmp .Lguard_out
    .seh_handler __C_specific_handler, @except
    .seh_handlerdata
    .long 1 /* one scope: begin, end, filter (1: always handle), where to continue */
    .rva .Lguard_begin, .Lguard_end
    .long 1
    .rva .Lguard_except
    .text
    .seh_endproc
