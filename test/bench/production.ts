// Libraries choose by it when they load: what is measured is what is deployed. The product's own process chooses for itself.
process.env['NODE_ENV'] = 'production';
