"""The tree-sitter queries that find symbols, one a language.

A capture's name is the symbol's kind, and `@name` its name. Where two patterns name the same node the first one wins,
so special patterns stand above general ones. `@lead` marks what stands before a symbol and belongs to it (decorators,
attributes, `export const`), `@comment` what may stand in between; `@receiver` and `@of` give a method its type and an
implementation its trait.
"""

from __future__ import annotations

PYTHON = """
(comment) @comment
(decorator) @lead
(function_definition name: (_) @name) @function
(class_definition name: (_) @name) @class
(type_alias_statement left: (type [(identifier) @name (generic_type . (identifier) @name)])) @type
(module (expression_statement (assignment left: (identifier) @name) @variable))
"""

_FUNCTION_VALUE = "[(arrow_function) (function_expression) (generator_function)]"

_ECMASCRIPT = f"""
(comment) @comment
(decorator) @lead
(export_statement ["export" "default"] @lead)
(lexical_declaration ["const" "let"] @lead)
(variable_declaration "var" @lead)
(function_declaration name: (_) @name) @function
(generator_function_declaration name: (_) @name) @function
(class_declaration name: (_) @name) @class
(method_definition name: (_) @name) @method
(variable_declarator name: (identifier) @name value: {_FUNCTION_VALUE}) @function
(variable_declarator name: (identifier) @name value: (class)) @class
(assignment_expression left: (member_expression) @name right: {_FUNCTION_VALUE}) @function
(pair key: (_) @name value: {_FUNCTION_VALUE}) @method
(export_statement "default" @name value: {_FUNCTION_VALUE} @function)
(export_statement "default" @name value: (class) @class)
(program (_ (variable_declarator name: (identifier) @name) @variable))
(program (export_statement (_ (variable_declarator name: (identifier) @name) @variable)))
"""

JAVASCRIPT = f"""
{_ECMASCRIPT}
(field_definition property: (_) @name value: {_FUNCTION_VALUE}) @method
"""

TYPESCRIPT = f"""
{_ECMASCRIPT}
"declare" @lead
(public_field_definition name: (_) @name value: {_FUNCTION_VALUE}) @method
(abstract_class_declaration name: (_) @name) @class
(interface_declaration name: (_) @name) @interface
(type_alias_declaration name: (_) @name) @type
(enum_declaration name: (_) @name) @enum
(internal_module name: (_) @name) @namespace
(module name: (_) @name) @namespace
(function_signature name: (_) @name) @function
(method_signature name: (_) @name) @method
(abstract_method_signature name: (_) @name) @method
"""

GO = """
(comment) @comment
(type_declaration "type" @lead)
(const_declaration "const" @lead)
(var_declaration "var" @lead)
(function_declaration name: (_) @name) @function
(method_declaration receiver: (parameter_list (parameter_declaration type: (_) @receiver)) name: (_) @name) @method
(type_spec name: (_) @name type: (struct_type)) @struct
(type_spec name: (_) @name type: (interface_type)) @interface
(type_spec name: (_) @name) @type
(type_alias name: (_) @name) @type
(method_elem name: (_) @name) @method
(source_file (const_declaration (const_spec (identifier) @name) @constant))
(source_file (var_declaration (var_spec (identifier) @name) @variable))
(source_file (var_declaration (var_spec_list (var_spec (identifier) @name) @variable)))
"""

JAVA = """
[(line_comment) (block_comment)] @comment
(class_declaration name: (_) @name) @class
(interface_declaration name: (_) @name) @interface
(enum_declaration name: (_) @name) @enum
(record_declaration name: (_) @name) @record
(annotation_type_declaration name: (_) @name) @annotation
(method_declaration name: (_) @name) @method
(annotation_type_element_declaration name: (_) @name) @method
(constructor_declaration name: (_) @name) @constructor
(compact_constructor_declaration name: (_) @name) @constructor
"""

RUST = """
[(line_comment) (block_comment)] @comment
(attribute_item) @lead
(function_item name: (_) @name) @function
(function_signature_item name: (_) @name) @function
(struct_item name: (_) @name) @struct
(union_item name: (_) @name) @union
(enum_item name: (_) @name) @enum
(trait_item name: (_) @name) @trait
(impl_item trait: (_) @of type: (_) @name) @impl
(impl_item type: (_) @name) @impl
(mod_item name: (_) @name) @module
(type_item name: (_) @name) @type
(const_item name: (_) @name) @constant
(static_item name: (_) @name) @variable
(macro_definition name: (_) @name) @macro
"""
