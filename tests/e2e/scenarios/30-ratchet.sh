# A VM that was bad before livegate came: what is not made worse is not refused.

install enforce
vm=(vm legacy -n old-guests)
run k label "${vm[@]}" team=orders
prints "a label is added, without a word" "virtualmachine.kubevirt.io/legacy labeled"
run k annotate "${vm[@]}" note=old
prints "an annotation is added, without a word" "virtualmachine.kubevirt.io/legacy annotated"
run k patch "${vm[@]}" --type=merge -p '{"spec":{"runStrategy":"Always"}}'
succeeds "it is started"
run k patch "${vm[@]}" --type=merge -p '{"spec":{"template":{"spec":{"nodeSelector":{"example-key-1":"example-value-1"}}}}}'
warned "an edit that adds nothing bad is a warning" 'Warning: LG201: ' 'virtualmachine.kubevirt.io/legacy patched'
run k patch "${vm[@]}" --type=json -p '[{"op":"add","path":"/spec/template/spec/nodeSelector","value":{"pool":"none"}}]'
refused "an edit that adds a reason is refused for that reason" 'denied the request: VirtualMachine old-guests/legacy ' \
    ', 1 reason:' '[LG401] '
as_written "and says so" ratchet-new-reason
run k get "${vm[@]}" -o jsonpath='{.spec.template.spec.nodeSelector}'
prints "the refused edit left no trace" '{"example-key-1":"example-value-1"}'
run k patch "${vm[@]}" --type=json -p '[{"op":"replace","path":"/spec/template/spec/domain/devices/interfaces/0",
    "value":{"name":"default","masquerade":{}}}]'
prints "it is mended, without a word" "virtualmachine.kubevirt.io/legacy patched"
run k patch "${vm[@]}" --type=json -p '[{"op":"replace","path":"/spec/template/spec/domain/devices/interfaces/0",
    "value":{"name":"default","bridge":{}}}]'
refused "what was mended cannot be undone" '[LG201] '

vm=(vm legacy-edited -n old-guests)
run k patch "${vm[@]}" --type=json -p '[{"op":"replace","path":"/spec/template/spec/domain/devices/interfaces/0/name","value":"net"},
    {"op":"replace","path":"/spec/template/spec/networks/0/name","value":"net"}]'
warned "a new name for the same interface is nothing new" 'Warning: LG201: '
