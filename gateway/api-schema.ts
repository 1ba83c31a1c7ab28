import { Kind, buildASTSchema, parse, visit } from 'graphql';
import type { ASTNode, ConstDirectiveNode, GraphQLSchema } from 'graphql';

const machinery = /^(join|link|core)__/;
const visibleDirectives = new Set(['deprecated', 'specifiedBy', 'oneOf']);

const isInaccessible = (node: ASTNode): boolean =>
  'directives' in node && (node.directives ?? []).some((directive) => directive.name.value === 'inaccessible');

/** What callers see of a supergraph: federation's machinery, directives and @inaccessible elements removed. */
export function apiSchemaOf(supergraphSdl: string): GraphQLSchema {
  const document = visit(parse(supergraphSdl), {
    enter(node) {
      if (node.kind === Kind.DIRECTIVE_DEFINITION) return null;
      if (node.kind === Kind.SCHEMA_DEFINITION) return { ...node, directives: [] };
      if (isInaccessible(node)) return null;
      const isMachinery = 'name' in node && node.name?.kind === Kind.NAME && machinery.test(node.name.value);
      if (isMachinery && node.kind !== Kind.DIRECTIVE) return null;
      if (node.kind === Kind.DIRECTIVE) return isVisible(node) ? undefined : null;
      return undefined;
    },
  });
  return buildASTSchema(document);
}

function isVisible(directive: ConstDirectiveNode | { readonly name: { readonly value: string } }): boolean {
  return visibleDirectives.has(directive.name.value);
}
