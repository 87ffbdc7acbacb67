<?php

/**
 * Prints what is declared in the namespace Tortoise, as JSON: by the extension, or by the stubs if they are named.
 */

declare(strict_types=1);

if (isset($argv[1])) {
    require $argv[1];
}

$is_public = static fn(string $name): bool => (bool) preg_match('/^tortoise\\\\[a-z]+$/i', $name);

$signature = static fn(ReflectionFunctionAbstract $function): string => sprintf(
    '%s(%s): %s',
    $function->getName(),
    implode(', ', array_map(
        static fn(ReflectionParameter $parameter): string => trim(
            $parameter->getType() . ' ' . ($parameter->isVariadic() ? '...' : '') . '$' . $parameter->getName(),
        ),
        $function->getParameters(),
    )),
    $function->getReturnType() ?? 'anything',
);

$dump = ['functions' => [], 'classes' => []];
foreach (array_merge(...array_values(get_defined_functions())) as $name) {
    if ($is_public($name)) {
        $function = new ReflectionFunction($name);
        $dump['functions'][$function->getName()] = $signature($function);
    }
}
foreach ([...get_declared_classes(), ...get_declared_interfaces()] as $name) {
    if ($is_public($name)) {
        $class = new ReflectionClass($name);
        $methods = array_filter(
            $class->getMethods(ReflectionMethod::IS_PUBLIC),
            static fn(ReflectionMethod $method): bool => $method->class === $name,
        );
        $interfaces = array_values(array_filter($class->getInterfaceNames(), $is_public));
        $dump['classes'][$name] = [
            'modifiers' => Reflection::getModifierNames($class->getModifiers()),
            'parent' => $class->getParentClass() ? $class->getParentClass()->name : null,
            'interfaces' => $interfaces,
            'methods' => array_values(array_map($signature, $methods)),
        ];
        sort($dump['classes'][$name]['interfaces']);
        sort($dump['classes'][$name]['methods']);
    }
}
ksort($dump['functions']);
ksort($dump['classes']);
echo json_encode($dump, JSON_PRETTY_PRINT | JSON_THROW_ON_ERROR | JSON_UNESCAPED_SLASHES), "\n";
